import Admission
import Base
import JSON
import Providers
import Testing

@testable import Gateway

/// What a client is told that cannot pay.
struct MoneyShortageTests {
    private static let now = Timestamp(seconds: 1_800_000_000)

    private static func problem(
        _ reason: MoneyShortage.Reason, isWallet: Bool, _ subject: LimitSubject = .organization,
        end: Timestamp? = nil
    ) -> Problem {
        Problem(
            MoneyShortage(
                limit: TouchedLimit(id: .make(), isWallet: isWallet, subject: subject, end: end),
                reason: reason, affordable: 1_500_000, needed: 54_399_000),
            at: now)
    }

    @Test(arguments: [
        (MoneyShortage.Reason.neverFits, true, 402, "request_exceeds_budget", nil as Int?, false as Bool?),
        (.neverFits, false, 402, "request_exceeds_budget", nil, false),
        (.spent, true, 402, "insufficient_balance", nil, false),
        (.spent, false, 402, "budget_exceeded", 3600, nil),
        (.heldByOthers, true, 402, "held_by_inflight", 2, true),
        (.heldByOthers, false, 402, "held_by_inflight", 2, true),
        (.unavailable, true, 503, "billing_unavailable", 5, true),
        (.unavailable, false, 503, "billing_unavailable", 5, true),
    ])
    func `each shortage has its code, and says whether and when to come back`(
        reason: MoneyShortage.Reason, isWallet: Bool, status: Int, code: String, pause: Int?, retry: Bool?
    ) {
        let problem = Self.problem(reason, isWallet: isWallet, end: Self.now + .seconds(3600))
        #expect((problem.kind.status, problem.code) == (status, code))
        #expect(problem.retryAfterSeconds == pause && problem.isWorthRetrying == retry)
        #expect(problem.limitSource == (isWallet ? "organization:wallet" : "organization:budget"))
        #expect(problem.message.contains("of the organization"))
        if reason != .unavailable { #expect(problem.message.contains("$0.054399")) }
        if reason == .spent { #expect(problem.message.contains("$0.0015 left")) }
    }

    @Test func `it is said whose limit it is`() {
        let key = UUID.make()
        let problem = Self.problem(.spent, isWallet: false, .key(key))
        #expect(problem.message.contains("the budget of the API key"))
        #expect(problem.limitSource == "key:\(key):budget")
        let model = Self.problem(.spent, isWallet: false, .model("acme/one"))
        #expect(model.limitSource == "model:acme/one:budget")
        // Without an end there is nothing to wait for.
        #expect(problem.retryAfterSeconds == nil && problem.message.contains("Ask an administrator"))
    }

    @Test func `each front writes it as clients of its dialect know it`() throws {
        let problem = Self.problem(.heldByOthers, isWallet: true)
        let fronts: [(any ChatFront, type: String)] = [
            (OpenAIChatFront(), "insufficient_quota"), (OpenAIResponsesFront(), "insufficient_quota"),
            (AnthropicFront(), "billing_error"), (GenerateFront(), "insufficient_quota"),
        ]
        for (front, type) in fronts {
            let error = try #require(
                try JSONDocument(parsing: front.body(problem, requestID: "req_1"))["error"])
            #expect(error["type"]?.string == type, "\(front.dialect)")
            #expect(error["code"]?.string == "held_by_inflight")
            #expect(error["limit_source"]?.string == "organization:wallet")
            #expect(error["retry_after"]?.int == 2)
        }
    }
}
