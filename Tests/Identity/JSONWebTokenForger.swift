import Base
import Identity

/// Makes access tokens, good and bad, without the code that is tested.
struct JSONWebTokenForger {
    static let issuer = "https://hivegate.example"
    static let audience = "hivegate"
    static let now = Timestamp(seconds: 1_800_000_000)

    let key: SigningKey
    let retired: SigningKey
    let stranger = Ed25519PrivateKey.make()
    let keys: SigningKeys
    let user = UUID.make()
    let organization = UUID.make()
    let session = UUID.make()
    let id = UUID.make()

    init() {
        let hour = Duration.seconds(3600)
        key = SigningKey(id: .make(), privateKey: .make(), createdAt: Self.now + hour * -2)
        retired = SigningKey(
            id: .make(), privateKey: .make(), createdAt: Self.now + hour * -3, retiresAt: Self.now)
        keys = SigningKeys(issuer: Self.issuer, audience: Self.audience)
        keys.replace(with: [retired, key])
    }

    /// The claims of a good token.
    var good: AccessToken {
        AccessToken(
            user: user, organization: organization, session: session, issuedAt: Self.now,
            expiresAt: Self.now + .seconds(900), id: id)
    }

    func verify(_ token: String) -> SigningKeys.Verification {
        keys.verify(Array(token.utf8), at: Self.now)
    }

    /// The good header, with members added, replaced, or (where the text is empty) left out. Values are JSON.
    func header(_ changes: [String: String] = [:], kid: UUID? = nil) -> String {
        object(
            [("alg", "\"EdDSA\""), ("typ", "\"at+jwt\""), ("kid", "\"\(kid ?? key.id)\"")], changes)
    }

    func claims(_ changes: [String: String] = [:]) -> String {
        let now = Self.now.seconds
        return object(
            [
                ("iss", "\"\(Self.issuer)\""), ("aud", "\"\(Self.audience)\""), ("sub", "\"\(user)\""),
                ("org", "\"\(organization)\""), ("sid", "\"\(session)\""), ("iat", "\(now)"),
                ("nbf", "\(now)"), ("exp", "\(now + 900)"), ("jti", "\"\(id)\""),
            ], changes)
    }

    /// A token of exactly these texts, signed by the current key or another.
    func token(_ header: String, _ claims: String, by signer: Ed25519PrivateKey? = nil) -> String {
        let input = Self.input(header, claims)
        return "\(input).\(Base64.encodeURL((signer ?? key.privateKey).signature(of: Array(input.utf8))))"
    }

    func token(header changes: [String: String]) -> String { token(header(changes), claims()) }
    func token(claims changes: [String: String]) -> String { token(header(), claims(changes)) }

    /// Signed with HMAC-SHA256 under `secret`, as if the public key were one.
    func token(hmac secret: [UInt8]) -> String {
        let input = Self.input(header(["alg": "\"HS256\""]), claims())
        return "\(input).\(Base64.encodeURL(KeyedDigest(key: secret).hmacSHA256(of: Array(input.utf8))))"
    }

    static func input(_ header: String, _ claims: String) -> String {
        "\(Base64.encodeURL(Array(header.utf8))).\(Base64.encodeURL(Array(claims.utf8)))"
    }

    private func object(_ members: [(String, String)], _ changes: [String: String]) -> String {
        var rest = changes
        var texts: [String] = []
        for (name, value) in members {
            let value = rest.removeValue(forKey: name) ?? value
            if !value.isEmpty { texts.append("\"\(name)\":\(value)") }
        }
        for (name, value) in rest.sorted(by: { $0.key < $1.key }) { texts.append("\"\(name)\":\(value)") }
        return "{\(texts.joined(separator: ","))}"
    }

    /// A good token with one of its three parts changed.
    func good(part: Int, _ change: (String) -> String) -> String {
        var parts = token(header(), claims()).split(separator: ".").map(String.init)
        parts[part] = change(parts[part])
        return parts.joined(separator: ".")
    }
}
