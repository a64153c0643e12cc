import Base
import Identity
import JSON
import Testing

struct JSONWebTokenTests {
    private let forger = JSONWebTokenForger()

    @Test func `a token that was signed is valid, and says what it was signed for`() {
        let token = forger.keys.sign(forger.good)
        #expect(forger.verify(token) == .valid(forger.good))
        #expect(forger.verify(forger.token(forger.header(), forger.claims())) == .valid(forger.good))
        #expect(token.utf8.count < 1024)
    }

    @Test(arguments: JSONWebTokenForgery.all)
    func `a forged token is refused`(forgery: JSONWebTokenForgery) {
        #expect(forger.verify(forgery.make(forger)) == .invalid(forgery.fault))
    }

    @Test func `no two forgeries have the same name, and every fault is met`() {
        let names = JSONWebTokenForgery.all.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(Set(JSONWebTokenForgery.all.map(\.fault)) == Set(JSONWebTokenFault.allCases))
    }

    @Test func `a token of which any bit was changed is refused`() {
        let token = Array(forger.token(forger.header(), forger.claims()).utf8)
        for bit in 0..<(token.count * 8) {
            var changed = token
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            if case .valid = forger.keys.verify(changed, at: JSONWebTokenForger.now) {
                Issue.record("bit \(bit) does not matter")
            }
        }
        let signature = Base64.decodeURL(token.split(separator: 0x2E)[2]) ?? []
        for bit in 0..<512 {
            var changed = signature
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            let text = forger.good(part: 2) { _ in Base64.encodeURL(changed) }
            #expect(forger.verify(text) == .invalid(.wrongSignature))
        }
        for count in token.indices {
            if case .valid = forger.keys.verify(token[..<count], at: JSONWebTokenForger.now) {
                Issue.record("\(count) bytes are enough")
            }
        }
    }

    @Test func `clocks may differ by seconds, and an end is an end`() {
        let now = JSONWebTokenForger.now
        let token = Array(forger.keys.sign(forger.good).utf8)
        func answer(_ seconds: Int) -> SigningKeys.Verification {
            forger.keys.verify(token, at: now + .seconds(seconds))
        }
        #expect(answer(-6) == .invalid(.notYetValid))
        #expect(answer(-5) == .valid(forger.good))
        #expect(answer(899) == .valid(forger.good))
        #expect(answer(900) == .invalid(.expired))
        #expect(
            forger.verify(forger.token(claims: ["exp": "\(now.seconds + 905)"])) != .invalid(.livesTooLong))
    }

    @Test func `a key that is not known yet is named, so that it can be looked for`() {
        let other = SigningKey(id: .make(), privateKey: .make(), createdAt: JSONWebTokenForger.now)
        let token = forger.token(forger.header(kid: other.id), forger.claims(), by: other.privateKey)
        #expect(forger.verify(token) == .unknownKey(other.id))
        forger.keys.replace(with: [forger.key, other])
        #expect(forger.verify(token) == .valid(forger.good))
        // What is refused anyway is no reason to look.
        let old = forger.token(forger.header(kid: .make()), forger.claims(["exp": "1"]), by: other.privateKey)
        #expect(forger.verify(old) == .invalid(.expired))
    }

    @Test func `the newest key signs until it retires, and the older go on verifying until they do`() throws {
        let now = JSONWebTokenForger.now
        let newer = SigningKey(
            id: .make(), privateKey: .make(), createdAt: now + .seconds(-60), retiresAt: now + .seconds(60))
        let before = forger.keys.sign(forger.good)
        forger.keys.replace(with: [forger.key, newer])
        let after = forger.keys.sign(forger.good)
        #expect(try kid(before) == forger.key.id.description)
        #expect(try kid(after) == newer.id.description)
        #expect(forger.verify(before) == .valid(forger.good))
        #expect(forger.verify(after) == .valid(forger.good))

        let later = AccessToken(
            user: forger.user, organization: forger.organization, session: forger.session,
            issuedAt: now + .seconds(60), expiresAt: now + .seconds(120))
        #expect(try kid(forger.keys.sign(later)) == forger.key.id.description)
        #expect(forger.keys.verify(Array(after.utf8), at: now + .seconds(60)) == .invalid(.retiredKey))
    }

    @Test func `others can check our tokens with what we publish`() throws {
        let published = forger.keys.jwks(at: JSONWebTokenForger.now)
        let set = try JSONWebKeySet(parsing: published)
        #expect(set.count == 1)
        #expect(set.verifies(try JWS(parsing: forger.keys.sign(forger.good).utf8)))
        let strange = forger.token(forger.header(), forger.claims(), by: forger.stranger)
        #expect(!set.verifies(try JWS(parsing: strange.utf8)))
        let members = try JSONDocument(parsing: published)["keys"]?.element(0)?.members.map(\.key.string)
        #expect(members == ["kty", "crv", "use", "alg", "kid", "x"])
    }

    private func kid(_ token: String) throws -> String? { try JWS(parsing: token.utf8).keyIdentifier }
}
