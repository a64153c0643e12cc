import Admission
import Base
import Identity
import Testing

@testable import Gateway

/// Whose money a request spends.
struct CallerMoneyTests {
    private static let now = Timestamp(seconds: 1_800_000_000)
    private static let user = UUID.make()
    private static let key = UUID.make()

    private static func caller(_ terms: [MoneyTerm]) -> Caller {
        Caller(
            organization: .make(), user: user, role: .member, key: key, scopes: .inference,
            terms: OrganizationTerms(moneyLimits: terms))
    }

    private static func term(
        _ subject: String, isWallet: Bool = false, _ window: Range<Timestamp>? = nil
    ) -> MoneyTerm {
        MoneyTerm(id: .make(), isWallet: isWallet, subject: subject, window: window)
    }

    private static func limits(
        _ terms: [MoneyTerm], asking model: String = "acme/one", at now: Timestamp = now
    ) throws -> [TouchedLimit] {
        try CallerMoney().limits(of: caller(terms), asking: model, in: .chat, at: now)
    }

    @Test func `a request touches the limits of its organization, user, key and model, and no other's`()
        throws
    {
        let own = [
            Self.term("organization", isWallet: true), Self.term("user:\(Self.user)"),
            Self.term("key:\(Self.key)"), Self.term("model:acme/one"), Self.term("group:chat"),
        ]
        let others = [
            Self.term("user:\(UUID.make())"), Self.term("key:\(UUID.make())"), Self.term("model:acme/two"),
            Self.term("group:images"),
        ]
        let found = try Self.limits(own + others)
        #expect(found.map(\.id) == own.map(\.id))
        #expect(
            found.map(\.subject)
                == [.organization, .user(Self.user), .key(Self.key), .model("acme/one"), .group(.chat)])
        #expect(found.map(\.isWallet) == [true, false, false, false, false])
        #expect(try Self.limits(others) == [])
        #expect(try Self.limits(own + others, asking: "acme/two").map(\.subject).contains(.model("acme/two")))
    }

    @Test func `what a client says that its request is about is asked only where a budget is about that`()
        throws
    {
        let caller = Self.caller([
            Self.term("organization"), Self.term("tag:team=search"), Self.term("tag:job=a=b"),
            MoneyTerm(id: .make(), isWallet: false, isSoft: true, subject: "tag:team=ads"),
        ])
        func subjects(_ tags: String?) throws -> [LimitSubject] {
            try CallerMoney().limits(
                of: caller, asking: "m", in: .chat, tags: { tags.map { Array($0.utf8) } }, at: Self.now
            ).map(\.subject)
        }
        #expect(try subjects(nil) == [.organization])
        #expect(
            try subjects(#"{"team":"search","job":"a=b"}"#) == [
                .organization, .tag("team=search"), .tag("job=a=b"),
            ])
        #expect(try subjects(#"{"team":"searching","teams":"search"}"#) == [.organization])
        let soft = try CallerMoney().limits(
            of: caller, asking: "m", in: .chat, tags: { Array(#"{"team":"ads"}"#.utf8) }, at: Self.now)
        #expect(soft.map(\.isSoft) == [false, true])
        _ = try CallerMoney().limits(
            of: Self.caller([Self.term("organization")]), asking: "m", in: .chat,
            tags: {
                Issue.record("nothing is about that")
                return nil
            }, at: Self.now)
    }

    @Test func `a budget is touched from its first moment to before its last`() throws {
        let window = Self.now..<(Self.now + .seconds(60))
        let terms = [Self.term("organization", window)]
        func count(_ offset: Duration) throws -> Int { try Self.limits(terms, at: Self.now + offset).count }
        #expect(try count(.microseconds(-1)) == 0 && count(.zero) == 1)
        #expect(try count(.seconds(60) - .microseconds(1)) == 1 && count(.seconds(60)) == 0)
        #expect(try Self.limits(terms).first?.end == window.upperBound)
    }

    @Test func `who has no limits on money touches none`() throws {
        let free = Caller(
            organization: .make(), user: .make(), role: .member, key: .make(), scopes: .inference)
        #expect(try CallerMoney().limits(of: free, asking: "m", in: .chat, at: Self.now) == [])
        #expect(try Self.limits([]) == [])
    }

    @Test func `what cannot be read lets nobody through`() throws {
        for subject in ["user:nobody", "key:", "team:one", "everything", "group:dreams"] {
            let problem = #expect(throws: Problem.self) { try Self.limits([Self.term(subject)]) }
            #expect(problem?.kind == .unavailable && problem?.code == "money_limits_unreadable", "\(subject)")
        }
    }

    @Test func `what is remembered is as new as the caller`() throws {
        let money = CallerMoney()
        let (one, two) = (
            Self.caller([Self.term("organization")]), Self.caller([Self.term("model:acme/one")])
        )
        func subjects(_ caller: Caller) throws -> [LimitSubject] {
            try money.limits(of: caller, asking: "acme/one", in: .chat, at: Self.now).map(\.subject)
        }
        for _ in 0..<2 {
            #expect(try subjects(one) == [.organization])
            #expect(try subjects(two) == [.model("acme/one")])
        }
    }
}
