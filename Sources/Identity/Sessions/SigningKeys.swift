package import Base
import JSON

/// Signs access tokens and verifies them (RFC 9068's `at+jwt`, EdDSA). Shared by all loops.
package final class SigningKeys: Sendable {
    /// A longer token is refused unread.
    package static let mostTokenBytes = 4096
    private static let algorithm = "EdDSA"
    private static let type = "at+jwt"

    private let issuer: String
    private let audience: String
    /// The newest first.
    private let keys = Locked<[SigningKey]>([])

    /// There must be keys before the first token is signed.
    package init(issuer: String, audience: String) {
        self.issuer = issuer
        self.audience = audience
    }

    package enum Verification: Equatable, Sendable {
        case valid(AccessToken)
        /// Why is for the log.
        case invalid(JSONWebTokenFault)
        /// Another process may have made that key since: load the keys and verify again.
        case unknownKey(UUID)
    }

    package func replace(with keys: [SigningKey]) {
        let sorted = keys.sorted { left, right in
            left.createdAt == right.createdAt ? left.id > right.id : left.createdAt > right.createdAt
        }
        self.keys.withLock { $0 = sorted }
    }

    /// Signs with the newest key that is not retired.
    package func sign(_ claims: AccessToken) -> String {
        let keys = keys.withLock { $0 }
        // Where all are retired the newest signs nevertheless, and the token is refused like all others.
        guard let key = keys.first(where: { !$0.isRetired(at: claims.issuedAt) }) ?? keys.first else {
            preconditionFailure("keys are loaded before anybody signs in")
        }
        var header = JSONWriter()
        header.object { header in
            header.field("alg", Self.algorithm)
            header.field("typ", Self.type)
            header.field("kid", key.id.description)
        }
        let body = claims.claims(issuer: issuer, audience: audience)
        let input = "\(Base64.encodeURL(header.bytes)).\(Base64.encodeURL(body))"
        let signature = key.privateKey.signature(of: Array(input.utf8))
        return "\(input).\(Base64.encodeURL(signature))"
    }

    package func verify(_ token: some Collection<UInt8>, at now: Timestamp) -> Verification {
        do throws(JSONWebTokenFault) {
            return try verification(of: JWS(parsing: token, mostBytes: Self.mostTokenBytes), at: now)
        } catch {
            return .invalid(error)
        }
    }

    /// The signature is what costs, so it comes last. Until then the claims decide only about refusal.
    private func verification(
        of token: JWS, at now: Timestamp
    ) throws(JSONWebTokenFault) -> Verification {
        let id = try Self.keyIdentifier(of: token)
        guard token.signature.count == Ed25519PublicKey.signatureLength else { throw .wrongSignature }
        let claims = try AccessToken(claims: token.payload, issuer: issuer, audience: audience, at: now)
        guard let key = keys.withLock({ keys in keys.first { $0.id == id } }) else { return .unknownKey(id) }
        guard !key.isRetired(at: now) else { throw .retiredKey }
        guard key.privateKey.publicKey.isValid(signature: token.signature, of: token.signingInput) else {
            throw .wrongSignature
        }
        return .valid(claims)
    }

    /// The header has exactly the three members that we write. A token that brings a key along, or says where one
    /// is, has more.
    private static func keyIdentifier(of token: JWS) throws(JSONWebTokenFault) -> UUID {
        guard token.algorithm == algorithm else { throw .wrongAlgorithm }
        for member in token.header.root.members {
            switch member.key {
            case "alg", "typ", "kid": continue
            default: throw .unexpectedHeaderMember
            }
        }
        guard token.header["typ"]?.string == type else { throw .wrongType }
        guard let id = token.keyIdentifier.flatMap(UUID.init(canonical:)) else { throw .wrongKeyIdentifier }
        return id
    }

    /// The public halves of the keys that verify, for others who check our tokens (RFC 7517).
    package func jwks(at now: Timestamp = .now()) -> [UInt8] {
        let keys = keys.withLock { $0 }.filter { !$0.isRetired(at: now) }
        var json = JSONWriter()
        json.object { json in
            json.key("keys")
            json.array { json in
                for key in keys { Self.write(key, to: &json) }
            }
        }
        return json.bytes
    }

    private static func write(_ key: SigningKey, to json: inout JSONWriter) {
        json.object { json in
            json.field("kty", "OKP")
            json.field("crv", "Ed25519")
            json.field("use", "sig")
            json.field("alg", algorithm)
            json.field("kid", key.id.description)
            json.field("x", Base64.encodeURL(key.privateKey.publicKey.bytes))
        }
    }
}
