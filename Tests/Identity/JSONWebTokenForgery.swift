import Base
import Identity
import Testing

/// One way to forge an access token, and why it fails.
struct JSONWebTokenForgery: CustomTestStringConvertible, Sendable {
    let name: String
    let fault: JSONWebTokenFault
    let make: @Sendable (JSONWebTokenForger) -> String

    init(
        _ name: String, _ fault: JSONWebTokenFault, _ make: @escaping @Sendable (JSONWebTokenForger) -> String
    ) {
        self.name = name
        self.fault = fault
        self.make = make
    }

    var testDescription: String { name }

    static let all = algorithms + keys + headers + audiences + times + claims + signatures + forms

    private static let pem = "-----BEGIN PUBLIC KEY-----\n"
    private static let keyInfo: [UInt8] = [
        0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0,
    ]

    private static let algorithms: [JSONWebTokenForgery] = [
        Self("alg none, unsigned", .wrongAlgorithm) {
            JSONWebTokenForger.input($0.header(["alg": "\"none\""]), $0.claims()) + "."
        },
        Self("alg none, signed", .wrongAlgorithm) { $0.token(header: ["alg": "\"none\""]) },
        Self("alg None", .wrongAlgorithm) { $0.token(header: ["alg": "\"None\""]) },
        Self("alg nOnE", .wrongAlgorithm) { $0.token(header: ["alg": "\"nOnE\""]) },
        Self("alg eddsa", .wrongAlgorithm) { $0.token(header: ["alg": "\"eddsa\""]) },
        Self("alg EdDSA with NUL", .wrongAlgorithm) { $0.token(header: ["alg": "\"EdDSA\\u0000\""]) },
        Self("alg missing", .wrongAlgorithm) { $0.token(header: ["alg": ""]) },
        Self("alg null", .wrongAlgorithm) { $0.token(header: ["alg": "null"]) },
        Self("alg array", .wrongAlgorithm) { $0.token(header: ["alg": "[\"EdDSA\"]"]) },
        Self("alg RS256", .wrongAlgorithm) { $0.token(header: ["alg": "\"RS256\""]) },
        Self("HS256 with the public key's bytes", .wrongAlgorithm) {
            $0.token(hmac: $0.key.privateKey.publicKey.bytes)
        },
        Self("HS256 with the public key's PEM", .wrongAlgorithm) {
            let body = Base64.encode(keyInfo + $0.key.privateKey.publicKey.bytes)
            return $0.token(hmac: Array("\(pem)\(body)\n-----END PUBLIC KEY-----\n".utf8))
        },
    ]

    private static let keys: [JSONWebTokenForgery] = [
        Self("kid a path", .wrongKeyIdentifier) { $0.token(header: ["kid": "\"../../../dev/null\""]) },
        Self("kid SQL", .wrongKeyIdentifier) { $0.token(header: ["kid": "\"' UNION SELECT 'a' --\""]) },
        Self("kid a URL", .wrongKeyIdentifier) { $0.token(header: ["kid": "\"https://evil.example/k\""]) },
        Self("kid empty", .wrongKeyIdentifier) { $0.token(header: ["kid": "\"\""]) },
        Self("kid missing", .wrongKeyIdentifier) { $0.token(header: ["kid": ""]) },
        Self("kid null", .wrongKeyIdentifier) { $0.token(header: ["kid": "null"]) },
        Self("kid in capitals", .wrongKeyIdentifier) {
            $0.token(header: ["kid": "\"\($0.key.id.description.uppercased())\""])
        },
        Self("kid with a space", .wrongKeyIdentifier) { $0.token(header: ["kid": "\"\($0.key.id) \""]) },
        Self("kid of a retired key", .retiredKey) {
            $0.token($0.header(kid: $0.retired.id), $0.claims(), by: $0.retired.privateKey)
        },
        Self("kid of a retired key, signed by the current one", .retiredKey) {
            $0.token($0.header(kid: $0.retired.id), $0.claims())
        },
    ]

    private static let headers: [JSONWebTokenForgery] =
        [
            ("jku", "\"https://evil.example/jwks\""), ("x5u", "\"https://evil.example/x\""),
            ("x5c", "[\"MIIB\"]"), ("x5t", "\"AAAA\""), ("crit", "[\"exp\"]"), ("crit", "[]"),
            ("b64", "false"), ("cty", "\"JWT\""), ("zip", "\"DEF\""), ("enc", "\"A256GCM\""), ("nonce", "1"),
            ("", "1"),
        ].map { member in
            Self("header has \(member.0) \(member.1)", .unexpectedHeaderMember) {
                $0.token(header: [member.0: member.1])
            }
        } + [
            Self("jwk embedded, signed by it", .unexpectedHeaderMember) {
                let x = Base64.encodeURL($0.stranger.publicKey.bytes)
                let jwk = "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"\(x)\"}"
                return $0.token($0.header(["jwk": jwk]), $0.claims(), by: $0.stranger)
            },
            Self("typ JWT", .wrongType) { $0.token(header: ["typ": "\"JWT\""]) },
            Self("typ missing", .wrongType) { $0.token(header: ["typ": ""]) },
            Self("typ in capitals", .wrongType) { $0.token(header: ["typ": "\"AT+JWT\""]) },
            Self("typ with application/", .wrongType) {
                $0.token(header: ["typ": "\"application/at+jwt\""])
            },
            Self("typ null", .wrongType) { $0.token(header: ["typ": "null"]) },
            Self("header an array", .headerIsNoObject) { $0.token("[\($0.header())]", $0.claims()) },
            Self("header empty", .headerIsNoObject) { $0.token("", $0.claims()) },
            Self("header with alg twice", .headerIsNoObject) {
                $0.token("{\"alg\":\"none\",\($0.header().dropFirst())", $0.claims())
            },
            Self("header with alg twice, once escaped", .headerIsNoObject) {
                $0.token("{\"al\\u0067\":\"none\",\($0.header().dropFirst())", $0.claims())
            },
            Self("header with more behind it", .headerIsNoObject) {
                $0.token($0.header() + "{}", $0.claims())
            },
        ]

    private static let audiences: [JSONWebTokenForgery] = [
        Self("aud of another", .wrongAudience) { $0.token(claims: ["aud": "\"other\""]) },
        Self("aud an array with ours", .wrongAudience) { $0.token(claims: ["aud": "[\"hivegate\"]"]) },
        Self("aud an array of two", .wrongAudience) {
            $0.token(claims: ["aud": "[\"other\",\"hivegate\"]"])
        },
        Self("aud missing", .wrongAudience) { $0.token(claims: ["aud": ""]) },
        Self("aud longer", .wrongAudience) { $0.token(claims: ["aud": "\"hivegate2\""]) },
        Self("iss of another", .wrongIssuer) { $0.token(claims: ["iss": "\"https://evil.example\""]) },
        Self("iss with a slash", .wrongIssuer) {
            $0.token(claims: ["iss": "\"https://hivegate.example/\""])
        },
        Self("iss an array", .wrongIssuer) { $0.token(claims: ["iss": "[\"https://hivegate.example\"]"]) },
        Self("iss missing", .wrongIssuer) { $0.token(claims: ["iss": ""]) },
    ]

    private static let now = JSONWebTokenForger.now.seconds

    private static let times: [JSONWebTokenForgery] = [
        Self("exp passed", .expired) { $0.token(claims: ["exp": "\(now - 1)", "iat": "\(now - 800)"]) },
        Self("exp now", .expired) { $0.token(claims: ["exp": "\(now)"]) },
        Self("exp zero", .expired) { $0.token(claims: ["exp": "0"]) },
        Self("exp missing", .malformedClaim) { $0.token(claims: ["exp": ""]) },
        Self("exp null", .malformedClaim) { $0.token(claims: ["exp": "null"]) },
        Self("exp a float", .malformedClaim) { $0.token(claims: ["exp": "\(now + 60).5"]) },
        Self("exp a whole float", .malformedClaim) { $0.token(claims: ["exp": "\(now + 60).0"]) },
        Self("exp with an exponent", .malformedClaim) { $0.token(claims: ["exp": "1800000060e0"]) },
        Self("exp a string", .malformedClaim) { $0.token(claims: ["exp": "\"\(now + 60)\""]) },
        Self("exp beyond 64 bits", .malformedClaim) { $0.token(claims: ["exp": "99999999999999999999"]) },
        Self("exp the largest integer", .livesTooLong) { $0.token(claims: ["exp": "9223372036854775807"]) },
        Self("exp negative", .malformedClaim) { $0.token(claims: ["exp": "-1"]) },
        Self("lives too long", .livesTooLong) { $0.token(claims: ["exp": "\(now + 906)"]) },
        Self("was issued long ago", .livesTooLong) { $0.token(claims: ["iat": "\(now - 86400)"]) },
        Self("iat missing", .malformedClaim) { $0.token(claims: ["iat": ""]) },
        Self("iat in the future", .notYetValid) { $0.token(claims: ["iat": "\(now + 6)"]) },
        Self("iat the largest integer", .notYetValid) { $0.token(claims: ["iat": "9223372036854775807"]) },
        Self("nbf missing", .malformedClaim) { $0.token(claims: ["nbf": ""]) },
        Self("nbf in the future", .notYetValid) { $0.token(claims: ["nbf": "\(now + 6)"]) },
        Self("nbf true", .malformedClaim) { $0.token(claims: ["nbf": "true"]) },
    ]

    private static let claims: [JSONWebTokenForgery] =
        ["sub", "org", "sid", "jti"].flatMap { name -> [JSONWebTokenForgery] in
            [
                Self("\(name) missing", .malformedClaim) { $0.token(claims: [name: ""]) },
                Self("\(name) no identifier", .malformedClaim) { $0.token(claims: [name: "\"admin\""]) },
                Self("\(name) in capitals", .malformedClaim) {
                    $0.token(claims: [name: "\"\(UUID(high: .max, low: .max).description.uppercased())\""])
                },
            ]
        } + [
            Self("org null", .malformedClaim) { $0.token(claims: ["org": "null"]) },
            Self("claims with sub twice", .claimsAreNoObject) {
                $0.token($0.header(), "{\"sub\":\"\($0.id)\",\($0.claims().dropFirst())")
            },
            Self("claims with sub twice, once escaped", .claimsAreNoObject) {
                $0.token($0.header(), "{\"\\u0073ub\":\"\($0.id)\",\($0.claims().dropFirst())")
            },
            Self("claims an array", .claimsAreNoObject) { $0.token($0.header(), "[\($0.claims())]") },
            Self("claims empty", .claimsAreNoObject) { $0.token($0.header(), "") },
            Self("claims nested too deep", .claimsAreNoObject) {
                let brackets = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
                return $0.token(claims: ["x": brackets])
            },
        ]

    private static let signatures: [JSONWebTokenForgery] = [
        Self("signature of another key", .wrongSignature) {
            $0.token($0.header(), $0.claims(), by: $0.stranger)
        },
        Self("signature of the retired key under the current kid", .wrongSignature) {
            $0.token($0.header(), $0.claims(), by: $0.retired.privateKey)
        },
        Self("signature of another token", .wrongSignature) {
            let other = $0.token(claims: ["jti": "\"\($0.user)\""]).split(separator: ".")[2]
            return $0.good(part: 2) { _ in String(other) }
        },
        Self("signature truncated", .wrongSignature) {
            $0.good(part: 2) { Base64.encodeURL((Base64.decodeURL($0) ?? []).dropLast()) }
        },
        Self("signature a byte longer", .wrongSignature) {
            $0.good(part: 2) { Base64.encodeURL((Base64.decodeURL($0) ?? []) + [0]) }
        },
        Self("signature empty", .wrongSignature) {
            JSONWebTokenForger.input($0.header(), $0.claims()) + "."
        },
        Self("signature of zeros", .wrongSignature) {
            $0.good(part: 2) { _ in Base64.encodeURL([UInt8](repeating: 0, count: 64)) }
        },
        Self("signature with another form of the same number", .wrongSignature) {
            $0.good(part: 2) { Base64.encodeURL(malleated(Base64.decodeURL($0) ?? [])) }
        },
        Self("claims changed", .wrongSignature) { forger in
            let other = Array(forger.claims(["sub": "\"\(UUID.make())\""]).utf8)
            return forger.good(part: 1) { _ in Base64.encodeURL(other) }
        },
        Self("header changed, in its spaces only", .wrongSignature) { forger in
            forger.good(part: 0) { _ in Base64.encodeURL(Array((forger.header() + " ").utf8)) }
        },
    ]

    /// The second half with the order of the group added: an implementation that forgets to look takes it for the same.
    private static func malleated(_ signature: [UInt8]) -> [UInt8] {
        let order: [UInt8] =
            [
                0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE,
                0x14,
            ] + [UInt8](repeating: 0, count: 15) + [0x10]
        var changed = signature
        var carry = 0
        for index in 0..<32 {
            let sum = Int(changed[32 + index]) + Int(order[index]) + carry
            changed[32 + index] = UInt8(sum & 255)
            carry = sum >> 8
        }
        return changed
    }

    private static let forms: [JSONWebTokenForgery] = [
        Self("nothing", .notThreeParts) { _ in "" },
        Self("two parts", .notThreeParts) { JSONWebTokenForger.input($0.header(), $0.claims()) },
        Self("a fourth part", .notThreeParts) { $0.token($0.header(), $0.claims()) + ".e30" },
        Self("a dot behind", .notThreeParts) { $0.token($0.header(), $0.claims()) + "." },
        Self("a dot before", .notThreeParts) { "." + $0.token($0.header(), $0.claims()) },
        Self("five parts, as if encrypted", .notThreeParts) { _ in "e30.e30.e30.e30.e30" },
        Self("padding behind the header", .notBase64URL) { $0.good(part: 0) { $0 + "=" } },
        Self("padding behind the signature", .notBase64URL) { $0.good(part: 2) { $0 + "==" } },
        Self("bits left over in the signature", .notBase64URL) {
            $0.good(part: 2) { text in
                // 64 bytes leave four bits over; the next letter has them set.
                let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
                let last = digits.firstIndex(of: text.last ?? "A") ?? 0
                return String(text.dropLast()) + String(digits[last + 1])
            }
        },
        Self("the usual alphabet", .notBase64URL) { $0.good(part: 2) { "+" + $0.dropFirst() } },
        Self("a line break behind", .notBase64URL) { $0.token($0.header(), $0.claims()) + "\n" },
        Self("a space before", .notBase64URL) { " " + $0.token($0.header(), $0.claims()) },
        Self("NUL within", .notBase64URL) { $0.good(part: 1) { $0 + "\u{0}" } },
        Self("huge", .tooLong) {
            $0.token(claims: ["x": "\"\(String(repeating: "x", count: 4096))\""])
        },
    ]
}
