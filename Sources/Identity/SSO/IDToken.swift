package import Base
import JSON

/// What an identity provider says of a person (OpenID Connect Core, 2), after its signature and all its claims were
/// checked (3.1.3.7).
package struct IDToken: Equatable, Sendable {
    /// By so much the clocks of two machines may differ.
    static let leewaySeconds: Int64 = 60

    /// The provider's own name for the person: the only one that never becomes another's.
    package let subject: String
    package let email: String?
    package let isEmailVerified: Bool
    package let name: String?

    /// Why a token counts for nothing; for the log.
    package enum Fault: String, Error, CaseIterable, Sendable {
        case unknownKey, wrongSignature, claimsAreNoObject, wrongIssuer, wrongAudience, wrongNonce,
            malformedClaim
        case expired, notYetValid
    }

    /// - Parameter nonce: what the sign-in was begun with.
    package init(
        _ signed: JWS, keys: JSONWebKeySet, issuer: String, clientID: String, nonce: String, at now: Timestamp
    ) throws(Fault) {
        guard keys.hasKey(for: signed) else { throw .unknownKey }
        guard keys.verifies(signed) else { throw .wrongSignature }
        guard let json = try? JSONDocument(parsing: signed.payload), json.root.kind == .object else {
            throw .claimsAreNoObject
        }
        guard json["iss"]?.string == issuer else { throw .wrongIssuer }
        try Self.checkAudience(json, clientID)
        try Self.checkTimes(json, now)
        guard let presented = json["nonce"]?.string,
            constantTimeEquals(Array(presented.utf8), Array(nonce.utf8))
        else { throw .wrongNonce }
        guard let subject = json["sub"]?.string, (1...255).contains(subject.utf8.count),
            !subject.utf8.contains(0)
        else { throw .malformedClaim }
        self.subject = subject
        email = json["email"]?.string
        isEmailVerified = json["email_verified"]?.bool ?? false
        name = json["name"]?.string.flatMap(Self.displayName)
    }

    /// It must be for us; and where it is for others too, we must be the one who asked for it.
    private static func checkAudience(
        _ json: JSONDocument, _ clientID: String
    ) throws(Fault) {
        guard let audience = json["aud"] else { throw .wrongAudience }
        let isList = audience.kind == .array
        let names = isList ? audience.elements.map(\.string) : [audience.string]
        guard names.contains(clientID) else { throw .wrongAudience }
        if names.count > 1 || json["azp"] != nil {
            guard json["azp"]?.string == clientID else { throw .wrongAudience }
        }
    }

    private static func checkTimes(_ json: JSONDocument, _ now: Timestamp) throws(Fault) {
        guard let expiry = json["exp"]?.int, let issued = json["iat"]?.int else { throw .malformedClaim }
        guard Int64(expiry) > now.seconds - leewaySeconds else { throw .expired }
        guard Int64(issued) <= now.seconds + leewaySeconds else { throw .notYetValid }
        guard let start = json["nbf"] else { return }
        guard let start = start.int else { throw .malformedClaim }
        guard Int64(start) <= now.seconds + leewaySeconds else { throw .notYetValid }
    }

    /// `nil` for what cannot be one: it is nobody's right, and no reason to refuse a person.
    private static func displayName(_ text: String) -> String? {
        let isOne =
            (1...200).contains(text.unicodeScalars.count)
            && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
        return isOne ? text : nil
    }
}
