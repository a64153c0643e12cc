import HTTPWire
import JSON

/// An identity provider's description of itself (OpenID Connect Discovery), as far as we need it.
struct SSOProvider: Sendable {
    let authorizationEndpoint: String
    let tokenEndpoint: String
    let keysURL: String

    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    static func descriptionURL(of issuer: String) -> String {
        (issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer) + "/.well-known/openid-configuration"
    }

    init(parsing bytes: [UInt8], issuer: String) throws(Fault) {
        guard let json = try? JSONDocument(parsing: bytes), json.root.kind == .object else {
            throw Fault(description: "the description is no JSON object")
        }
        // Otherwise one provider could speak for another.
        guard json["issuer"]?.string == issuer else {
            throw Fault(description: "the description is of another issuer")
        }
        let isSecure = issuer.hasPrefix("https:")
        func endpoint(_ name: StaticString) throws(Fault) -> String {
            guard let text = json[name]?.string, let url = try? URLAddress(text), url.userinfo == nil,
                url.scheme == "https" || (url.scheme == "http" && !isSecure)
            else { throw Fault(description: "\(name) is missing, or no URL that can be used") }
            return text
        }
        authorizationEndpoint = try endpoint("authorization_endpoint")
        tokenEndpoint = try endpoint("token_endpoint")
        keysURL = try endpoint("jwks_uri")
    }
}
