import Base
import Identity
import Testing

/// What an identity provider signs, and what somebody else would like it to have signed.
struct IDTokenTests {
    private static let issuer = "https://login.example.com"
    private static let client = "hivegate"
    private static let nonce = "the-nonce"
    private static let now = Timestamp(seconds: 1_800_000_000)
    private static let time = now.seconds

    private let key = Ed25519PrivateKey.make()
    private let other = Ed25519PrivateKey.make()

    /// The good claims with members added, replaced, or (where the text is empty) left out. Values are JSON.
    private func claims(_ changes: [String: String] = [:]) -> String {
        var members = [
            "iss": "\"\(Self.issuer)\"", "aud": "\"\(Self.client)\"", "sub": "\"ann-7\"",
            "nonce": "\"\(Self.nonce)\"", "iat": "\(Self.time - 1)", "exp": "\(Self.time + 300)",
            "email": "\"Ann@example.com\"", "email_verified": "true", "name": "\"Ann\"",
        ]
        for (name, value) in changes { members[name] = value.isEmpty ? nil : value }
        return "{\(members.map { "\"\($0)\":\($1)" }.joined(separator: ","))}"
    }

    private func token(
        _ claims: String, header: String = #"{"alg":"EdDSA","kid":"k1"}"#, by signer: Ed25519PrivateKey? = nil
    ) -> String {
        let input = "\(Base64.encodeURL(Array(header.utf8))).\(Base64.encodeURL(Array(claims.utf8)))"
        return "\(input).\(Base64.encodeURL((signer ?? key).signature(of: Array(input.utf8))))"
    }

    private var keys: JSONWebKeySet {
        get throws {
            let x = Base64.encodeURL(key.publicKey.bytes)
            let json = #"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"\#(x)"}]}"#
            return try JSONWebKeySet(parsing: Array(json.utf8))
        }
    }

    private func read(_ token: String) throws -> IDToken {
        try IDToken(
            JWS(parsing: token.utf8), keys: keys, issuer: Self.issuer, clientID: Self.client,
            nonce: Self.nonce, at: Self.now)
    }

    @Test func `a good token says who it is`() throws {
        let person = try read(token(claims()))
        #expect(person.subject == "ann-7")
        #expect(person.email == "Ann@example.com")
        #expect(person.isEmailVerified)
        #expect(person.name == "Ann")
    }

    @Test(arguments: [
        ["aud": #"["hivegate"]"#], ["aud": #"["other","hivegate"]"#, "azp": #""hivegate""#],
        ["azp": #""hivegate""#], ["iat": "\(time + 59)"], ["exp": "\(time - 59)"], ["nbf": "\(time + 59)"],
        ["more": #"{"of":["it"]}"#],
    ])
    func `what the standard allows is taken`(changes: [String: String]) throws {
        #expect(try read(token(claims(changes))).subject == "ann-7")
    }

    @Test(arguments: [
        (["iss": #""https://login.example.com/""#], IDToken.Fault.wrongIssuer),
        (["iss": #""https://evil.example""#], .wrongIssuer), (["iss": ""], .wrongIssuer),
        (["iss": #"["https://login.example.com"]"#], .wrongIssuer),
        (["aud": #""other""#], .wrongAudience), (["aud": ""], .wrongAudience),
        (["aud": "[]"], .wrongAudience),
        (["aud": #"["other"]"#], .wrongAudience), (["aud": #"["hivegate","other"]"#], .wrongAudience),
        (["aud": #"["hivegate","other"]"#, "azp": #""other""#], .wrongAudience),
        (["azp": #""other""#], .wrongAudience), (["azp": "null"], .wrongAudience),
        (["nonce": #""another""#], .wrongNonce), (["nonce": ""], .wrongNonce),
        (["nonce": #""""#], .wrongNonce),
        (["exp": "\(time - 60)"], .expired), (["exp": "0"], .expired), (["exp": ""], .malformedClaim),
        (["exp": "\"\(time + 60)\""], .malformedClaim), (["iat": ""], .malformedClaim),
        (["iat": "\(time + 61)"], .notYetValid), (["nbf": "\(time + 61)"], .notYetValid),
        (["nbf": "null"], .malformedClaim), (["sub": ""], .malformedClaim),
        (["sub": #""""#], .malformedClaim),
        (["sub": "7"], .malformedClaim), (["sub": #""a\u0000b""#], .malformedClaim),
        (["sub": "\"\(String(repeating: "s", count: 256))\""], .malformedClaim),
    ])
    func `a token with one wrong claim counts for nothing`(
        changes: [String: String], fault: IDToken.Fault
    ) throws {
        #expect(throws: fault) { try read(token(claims(changes))) }
    }

    @Test func `a token counts only as its provider has signed it`() throws {
        #expect(throws: IDToken.Fault.wrongSignature) { try read(token(claims(), by: other)) }
        for header in [
            #"{"alg":"none","kid":"k1"}"#, #"{"alg":"RS256","kid":"k1"}"#, #"{"alg":"EdDSA","kid":"k2"}"#,
            #"{"alg":"HS256","kid":"k1"}"#,
        ] {
            #expect(throws: IDToken.Fault.unknownKey, "\(header)") {
                try read(token(claims(), header: header))
            }
        }
        // A key inside of the token is nobody's.
        let x = Base64.encodeURL(other.publicKey.bytes)
        let own = #"{"alg":"EdDSA","kid":"k1","jwk":{"kty":"OKP","crv":"Ed25519","x":"\#(x)"}}"#
        #expect(throws: IDToken.Fault.wrongSignature) { try read(token(claims(), header: own, by: other)) }
    }

    @Test func `the public key is no secret to sign with`() throws {
        let header = Base64.encodeURL(Array(#"{"alg":"HS256","kid":"k1"}"#.utf8))
        let input = "\(header).\(Base64.encodeURL(Array(claims().utf8)))"
        let code = KeyedDigest(key: key.publicKey.bytes).hmacSHA256(of: Array(input.utf8))
        #expect(throws: IDToken.Fault.unknownKey) { try read("\(input).\(Base64.encodeURL(code))") }
        let unsigned = Base64.encodeURL(Array(#"{"alg":"none"}"#.utf8))
        #expect(throws: IDToken.Fault.unknownKey) {
            try read("\(unsigned).\(Base64.encodeURL(Array(claims().utf8))).")
        }
    }

    @Test func `an address counts as confirmed only where that is said`() throws {
        for value in ["false", "\"true\"", "1", "null", ""] {
            let person = try read(token(claims(["email_verified": value])))
            #expect(!person.isEmailVerified, "\(value)")
        }
        #expect(try read(token(claims(["name": #""a\nb""#]))).name == nil)
    }
}
