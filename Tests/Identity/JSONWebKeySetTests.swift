import Base
import Identity
import Testing

/// What identity providers sign, with the examples of the standards.
struct JSONWebKeySetTests {
    /// RFC 7515, A.2.
    private static let rsa =
        #""kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrc"#
        + #"S2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5"#
        + #"z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWN"#
        + #"moudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ""#
    private static let claims =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    private static let rsaToken =
        "eyJhbGciOiJSUzI1NiJ9.\(claims)."
        + "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdb"
        + "F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383"
        + "LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWy"
        + "wlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    /// RFC 7515, A.3.
    private static let p256 =
        #""kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
        + #""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#
    private static let p256Token =
        "eyJhbGciOiJFUzI1NiJ9.\(claims)."
        + "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    /// RFC 8037, A.
    private static let ed25519 =
        #""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#
    private static let ed25519Token =
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
        + "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    private static let examples = [(rsa, rsaToken), (p256, p256Token), (ed25519, ed25519Token)]

    private func set(_ keys: String...) throws -> JSONWebKeySet {
        try JSONWebKeySet(
            parsing: Array("{\"keys\":[\(keys.map { "{\($0)}" }.joined(separator: ","))]}".utf8))
    }

    private func signed(_ text: String) throws -> JWS { try JWS(parsing: text.utf8) }

    /// The same token with another header, and the signature as it was.
    private func signed(_ text: String, header: String) throws -> JWS {
        let rest = text.split(separator: ".").dropFirst().joined(separator: ".")
        return try signed("\(Base64.encodeURL(Array(header.utf8))).\(rest)")
    }

    @Test(arguments: examples)
    func `the examples of the standards verify, and not with a bit changed`(key: String, token: String) throws
    {
        let set = try set(key)
        let whole = try signed(token)
        #expect(set.verifies(whole))
        #expect(set.hasKey(for: whole))
        let parts = token.split(separator: ".").map(String.init)
        let signature = try #require(Base64.decodeURL(parts[2]))
        for bit in 0..<(signature.count * 8) {
            var changed = signature
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!set.verifies(try signed("\(parts[0]).\(parts[1]).\(Base64.encodeURL(changed))")))
        }
        for other in [Array(signature.dropLast()), [0] + signature, signature + [0], []] {
            #expect(!set.verifies(try signed("\(parts[0]).\(parts[1]).\(Base64.encodeURL(other))")))
        }
        #expect(!set.verifies(try signed("\(parts[0]).e30.\(parts[2])")))
    }

    @Test func `what was signed is read as it is`() throws {
        let token = try signed(Self.ed25519Token)
        #expect(token.algorithm == "EdDSA")
        #expect(token.keyIdentifier == nil)
        #expect(String(decoding: token.payload, as: UTF8.self) == "Example of Ed25519 signing")
    }

    @Test func `a key is used as what it is, whatever the token says`() throws {
        for (key, token) in Self.examples {
            let set = try set(key)
            for name in ["none", "HS256", "RS256", "ES256", "EdDSA", "RS512", "PS256", ""] {
                let own = try signed(token).algorithm
                let other = try signed(token, header: "{\"alg\":\"\(name)\"}")
                if name == own {
                    #expect(set.verifies(other))
                } else {
                    #expect(!set.hasKey(for: other))
                    #expect(!set.verifies(other))
                }
            }
        }
        // The public key as the secret of an HMAC.
        let input = JSONWebTokenForger.input("{\"alg\":\"HS256\"}", "{}")
        for secret in [Self.rsa, Self.ed25519, "{\(Self.rsa)}"] {
            let code = KeyedDigest(key: Array(secret.utf8)).hmacSHA256(of: Array(input.utf8))
            let forged = try signed("\(input).\(Base64.encodeURL(code))")
            #expect(!(try set(Self.rsa, Self.ed25519).verifies(forged)))
        }
        #expect(try set(#""kty":"oct","k":"AAAA","alg":"HS256""#).count == 0)
    }

    @Test func `a token that names a key is verified with that key only`() throws {
        let stranger = Ed25519PrivateKey.make()
        let other = #""kty":"OKP","crv":"Ed25519","x":"\#(Base64.encodeURL(stranger.publicKey.bytes))""#
        let input = JSONWebTokenForger.input(#"{"alg":"EdDSA","kid":"b"}"#, "{}")
        let token = try signed(
            "\(input).\(Base64.encodeURL(stranger.signature(of: Array(input.utf8))))")
        #expect(try set(Self.ed25519 + #","kid":"a""#, other + #","kid":"b""#).verifies(token))
        #expect(try !set(Self.ed25519 + #","kid":"b""#, other + #","kid":"a""#).verifies(token))
        let without = try set(Self.ed25519 + #","kid":"a""#, other)
        #expect(!without.verifies(token))
        #expect(!without.hasKey(for: token))
        // Two of that name, or none named and several that could be: no guessing.
        #expect(try !set(other + #","kid":"b""#, Self.ed25519 + #","kid":"b""#).verifies(token))
        let unnamed = try signed(Self.ed25519Token)
        #expect(try set(Self.rsa, Self.ed25519, Self.p256).verifies(unnamed))
        #expect(try !set(Self.ed25519, other).verifies(unnamed))
    }

    @Test func `keys that are of no use to us are passed over`() throws {
        let set = try set(
            Self.rsa + #","use":"enc""#, Self.rsa + #","alg":"RS512""#, Self.rsa + #","key_ops":["encrypt"]"#,
            Self.rsa + #","kid":1"#, #""kty":"RSA","n":"AQAB","e":"AQAB""#, #""kty":"RSA""#,
            #""kty":"EC","crv":"P-384","x":"AA","y":"AA""#, #""kty":"EC","crv":"P-256","x":"AA","y":"AA""#,
            #""kty":"OKP","crv":"X25519","x":"AA""#, #""kty":"new""#, "",
            Self.ed25519 + #","use":"sig","alg":"EdDSA","key_ops":["verify"],"d":"AA","x5c":["AA"]"#)
        #expect(set.count == 1)
        #expect(set.verifies(try signed(Self.ed25519Token)))
        let many = Array(repeating: "{\(Self.ed25519)}", count: 1000).joined(separator: ",")
        #expect(
            try JSONWebKeySet(parsing: Array("{\"keys\":[\(many)]}".utf8)).count == JSONWebKeySet.mostKeys)
    }

    @Test(arguments: ["", "[]", "{}", #"{"keys":{}}"#, #"{"keys":[}"#, #"{"keys":[],"keys":[]}"#])
    func `what is no key set is refused`(text: String) {
        #expect(throws: JSONWebKeySet.Fault.self) { try JSONWebKeySet(parsing: Array(text.utf8)) }
    }

    @Test func `a token that demands an extension is refused, and a large one unread`() {
        let critical = JSONWebTokenForger.input(#"{"alg":"EdDSA","crit":["b64"],"b64":false}"#, "{}")
        #expect(throws: JSONWebTokenFault.unexpectedHeaderMember) { try signed("\(critical).AA") }
        let long = String(repeating: "A", count: JWS.mostBytes)
        #expect(throws: JSONWebTokenFault.tooLong) { try signed("e30.\(long).AA") }
    }
}
