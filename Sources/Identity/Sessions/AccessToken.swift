package import Base
import JSON

/// What an access token says: who, in which organization, out of which session, and until when. What they may do there
/// is not in it: that is looked up.
package struct AccessToken: Equatable, Sendable {
    /// One that lives longer is refused, whoever signed it.
    package static let longestLifetime = Duration.seconds(15 * 60)
    /// By so much the clocks of two machines may differ.
    static let leewaySeconds: Int64 = 5

    package let user: UUID
    package let organization: UUID
    package let session: UUID
    package let issuedAt: Timestamp
    package let expiresAt: Timestamp
    /// Its own name, for the log.
    package let id: UUID

    /// Times are cut to whole seconds, as tokens carry them.
    package init(
        user: UUID, organization: UUID, session: UUID, issuedAt: Timestamp, expiresAt: Timestamp,
        id: UUID = .make()
    ) {
        self.user = user
        self.organization = organization
        self.session = session
        self.issuedAt = Timestamp(seconds: issuedAt.seconds)
        self.expiresAt = Timestamp(seconds: expiresAt.seconds)
        self.id = id
    }

    /// Reads claims whose signature is still to be verified. Every claim must be there, in its one form.
    init(
        claims: [UInt8], issuer: String, audience: String, at now: Timestamp
    ) throws(JSONWebTokenFault) {
        guard let json = try? JSONDocument(parsing: claims), json.root.kind == .object else {
            throw .claimsAreNoObject
        }
        guard json["iss"]?.string == issuer else { throw .wrongIssuer }
        guard json["aud"]?.string == audience else { throw .wrongAudience }
        let issued = try Self.seconds(json["iat"])
        let expiry = try Self.seconds(json["exp"])
        // In this order, so that no sum leaves the range of integers.
        guard expiry > now.seconds else { throw .expired }
        guard issued <= now.seconds + Self.leewaySeconds,
            try Self.seconds(json["nbf"]) <= now.seconds + Self.leewaySeconds
        else { throw .notYetValid }
        guard expiry <= issued + Self.longestLifetime.components.seconds + Self.leewaySeconds else {
            throw .livesTooLong
        }
        self.init(
            user: try Self.identifier(json["sub"]), organization: try Self.identifier(json["org"]),
            session: try Self.identifier(json["sid"]), issuedAt: Timestamp(seconds: issued),
            expiresAt: Timestamp(seconds: expiry), id: try Self.identifier(json["jti"]))
    }

    func claims(issuer: String, audience: String) -> [UInt8] {
        var json = JSONWriter(capacity: 384)
        json.object { json in
            json.field("iss", issuer)
            json.field("aud", audience)
            json.field("sub", user.description)
            json.field("org", organization.description)
            json.field("sid", session.description)
            json.field("iat", Int(issuedAt.seconds))
            json.field("nbf", Int(issuedAt.seconds))
            json.field("exp", Int(expiresAt.seconds))
            json.field("jti", id.description)
        }
        return json.bytes
    }

    /// Digits and nothing else: neither `1.0` nor `1e9` nor a text.
    private static func seconds(_ value: JSONValue?) throws(JSONWebTokenFault) -> Int64 {
        guard let value, value.bytes.allSatisfy({ (0x30...0x39).contains($0) }), let seconds = value.int
        else {
            throw .malformedClaim
        }
        return Int64(seconds)
    }

    private static func identifier(_ value: JSONValue?) throws(JSONWebTokenFault) -> UUID {
        guard let text = value?.string, let id = UUID(canonical: text) else { throw .malformedClaim }
        return id
    }
}

extension UUID {
    /// Only in the form that we write: two texts must not be one identifier.
    init?(canonical text: String) {
        self.init(text)
        guard description == text else { return nil }
    }
}
