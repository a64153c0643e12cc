import Base
import HTTPClient
import HTTPWire
import Identity
import JSON
import Loop
import TestKit
import Testing

/// The way through an identity provider that says exactly what a test wants.
struct SingleSignOnTests {
    /// What a provider does that a good one does not.
    struct Mischief: Sendable {
        var claims: [String: String] = [:]
        var signer: Ed25519PrivateKey?
        var keyID = "k1"
        var redirects = false
        var isHuge = false
        /// For so many answers the set of keys is an old one.
        var staleKeySets = 0
    }

    /// What it was asked.
    final class Record: Sendable {
        let state = Locked((token: "", authorization: "", keySets: 0, descriptions: 0))
    }

    private static let key = Ed25519PrivateKey.make()

    private func withProvider(
        _ mischief: Mischief = Mischief(),
        _ body: @escaping @Sendable (ManagementWorld, ManagementWorld.Person, Record) async throws -> Void
    ) async throws {
        var options = ManagementWorld.Options()
        options.outboundExceptions = ["127.0.0.0/8"].compactMap { IPNetwork($0) }
        try await ManagementWorld.run(options) { world in
            let record = Record()
            let port = Locked(0)
            let provider = try ScriptedUpstream(on: world.loop) { peer in
                try await Self.answer(peer, port.withLock { $0 }, mischief, record)
            }
            port.withLock { $0 = provider.port }
            defer { provider.close() }
            let owner = try await world.newPerson("owner")
            let set = try await world.send(
                "PUT", "/api/v1/organizations/\(owner.organization)/sso", as: owner,
                #"{"issuer":"\#(provider.url)","client_id":"hive gate","client_secret":"p:ss wörd"}"#)
            #expect(set.status == 200, "\(set.text)")
            try await body(world, owner, record)
        }
    }

    private static func answer(
        _ peer: ScriptedUpstream.Peer, _ port: Int, _ mischief: Mischief, _ record: Record
    ) async throws {
        while let head = try await peer.head() {
            let url = "http://127.0.0.1:\(port)"
            var text: String
            if head.hasPrefix("GET /.well-known/openid-configuration ") {
                record.state.withLock { $0.descriptions += 1 }
                text =
                    #"{"issuer":"\#(url)","authorization_endpoint":"\#(url)/go","token_endpoint":"\#(url)/token","jwks_uri":"\#(url)/keys"}"#
            } else if head.hasPrefix("GET /keys ") {
                let count = record.state.withLock { state in
                    state.keySets += 1
                    return state.keySets
                }
                let x = Base64.encodeURL(key.publicKey.bytes)
                let kid = count <= mischief.staleKeySets ? "k0" : "k1"
                text = #"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"\#(kid)","x":"\#(x)"}]}"#
            } else {
                text = try await tokenAnswer(peer, head, url, mischief, record)
            }
            if mischief.isHuge { text = "\"\(String(repeating: "x", count: 2 << 20))\"" }
            let status = mischief.redirects ? "302 Found\r\nLocation: \(url)/keys" : "200 OK"
            try await peer.write(
                "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)"
            )
        }
    }

    private static func tokenAnswer(
        _ peer: ScriptedUpstream.Peer, _ head: String, _ url: String, _ mischief: Mischief, _ record: Record
    ) async throws -> String {
        func field(_ name: String) -> String {
            head.split(separator: "\r\n").first { $0.hasPrefix("\(name): ") }
                .map { String($0.dropFirst(name.count + 2)) } ?? ""
        }
        let body = try await peer.read(Int(field("Content-Length")) ?? 0) ?? []
        record.state.withLock { state in
            state.token = String(decoding: body, as: UTF8.self)
            state.authorization = field("Authorization")
        }
        // The test has put it there, as if the provider had kept it.
        let nonce = try QueryItems(body[...])["code"]?.split(separator: " ").last ?? ""
        let now = Timestamp.now().seconds
        var claims = [
            "iss": "\"\(url)\"", "aud": #""hive gate""#, "sub": #""ann-7""#, "nonce": "\"\(nonce)\"",
            "iat": "\(now)", "exp": "\(now + 300)", "email": #""ann@new.example""#, "email_verified": "true",
        ]
        for (name, value) in mischief.claims { claims[name] = value }
        let json = "{\(claims.map { "\"\($0)\":\($1)" }.joined(separator: ","))}"
        let header = #"{"alg":"EdDSA","kid":"\#(mischief.keyID)"}"#
        let input = "\(Base64.encodeURL(Array(header.utf8))).\(Base64.encodeURL(Array(json.utf8)))"
        let signature = (mischief.signer ?? key).signature(of: Array(input.utf8))
        return
            #"{"token_type":"Bearer","access_token":"a","id_token":"\#(input).\#(Base64.encodeURL(signature))"}"#
    }

    private struct Begun {
        let query: QueryItems
        let cookie: String
    }

    private func begin(
        _ world: ManagementWorld, _ owner: ManagementWorld.Person
    ) async throws -> Begun {
        let there = try await world.send("GET", "/api/auth/sso/\(owner.organization)?session=tokens")
        try #require(there.status == 303, "\(there.text)")
        let url = try URLAddress(try #require(there["location"]))
        let query = try QueryItems(Array((url.query ?? "").utf8)[...])
        let cookie = try #require(there["set-cookie"]?.split(separator: ";").first.map(String.init))
        return Begun(query: query, cookie: cookie)
    }

    private func finish(_ begun: Begun, _ world: ManagementWorld) async throws -> ManagementWorld.Answer {
        let code = "a%20c%26de%20\(begun.query["nonce"] ?? "")"
        return try await world.send(
            "GET", "/api/auth/sso/callback?code=\(code)&state=\(begun.query["state"] ?? "")",
            fields: [("Cookie", begun.cookie)])
    }

    @Test func `the provider is asked with the code, our secret, and the proof that we began`() async throws {
        try await withProvider { world, owner, record in
            let begun = try await begin(world, owner)
            #expect(begun.query["client_id"] == "hive gate")
            let back = try await finish(begun, world)
            #expect(back.status == 200, "\(back.text)")
            let (token, authorization) = record.state.withLock { ($0.token, $0.authorization) }
            let form = try QueryItems(Array(token.utf8)[...])
            #expect(form["grant_type"] == "authorization_code")
            #expect(form["code"] == "a c&de \(begun.query["nonce"] ?? "")")
            #expect(form["redirect_uri"] == "https://hivegate.test/api/auth/sso/callback")
            let verifier = try #require(form["code_verifier"])
            #expect((43...128).contains(verifier.count))
            #expect(begun.query["code_challenge"] == Base64.encodeURL(Digest.sha256(verifier.utf8)))
            // RFC 6749, 2.3.1: both are encoded before they are joined.
            let login = try #require(Base64.decode(authorization.dropFirst("Basic ".count)))
            #expect(String(decoding: login, as: UTF8.self) == "hive%20gate:p%3Ass%20w%C3%B6rd")
        }
    }

    @Test(arguments: [
        ["iss": #""https://evil.example""#], ["aud": #""other""#], ["nonce": #""other""#], ["exp": "1"],
        ["iat": "99999999999"], ["sub": "7"], ["azp": #""other""#],
    ])
    func `a provider's token with a wrong claim admits nobody`(claims: [String: String]) async throws {
        try await withProvider(Mischief(claims: claims)) { world, owner, _ in
            let back = try await finish(try await begin(world, owner), world)
            #expect((back.status, back.code) == (403, "sso_invalid_answer"))
            let members = try await world.send(
                "GET", "/api/v1/organizations/\(owner.organization)/members", as: owner)
            #expect(members.json?["data"]?.count == 1)
        }
    }

    @Test func `a token under a key that is not the provider's admits nobody`() async throws {
        try await withProvider(Mischief(signer: .make())) { world, owner, _ in
            let back = try await finish(try await begin(world, owner), world)
            #expect((back.status, back.code) == (403, "sso_invalid_answer"))
        }
    }

    @Test func `a provider's new key is asked for, and what it says is remembered`() async throws {
        try await withProvider(Mischief(staleKeySets: 1)) { world, owner, record in
            // The first finds the old set only; the second asks again; the third knows.
            let first = try await finish(try await begin(world, owner), world)
            #expect(first.status == 403)
            for _ in 0..<2 {
                let back = try await finish(try await begin(world, owner), world)
                #expect(back.status == 200, "\(back.text)")
            }
            #expect(record.state.withLock { $0.keySets } == 2)
            #expect(record.state.withLock { $0.descriptions } == 1)
        }
    }

    @Test func `no redirect of a provider is followed, and no endless answer read`() async throws {
        for mischief in [Mischief(redirects: true), Mischief(isHuge: true)] {
            try await withProvider(mischief) { world, owner, record in
                let there = try await world.send("GET", "/api/auth/sso/\(owner.organization)")
                #expect((there.status, there.code) == (502, "sso_provider_unreachable"))
                #expect(record.state.withLock { $0.descriptions } == 1)
            }
        }
    }

    @Test func `whoever takes more than ten minutes begins again`() async throws {
        try await withProvider { world, owner, _ in
            let begun = try await begin(world, owner)
            world.age(.seconds(601))
            let back = try await finish(begun, world)
            #expect((back.status, back.code) == (403, "sso_state_unknown"))
        }
    }

    @Test func `of several who come back with the same state one gets in`() async throws {
        try await withProvider { world, owner, _ in
            let begun = try await begin(world, owner)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<5 { group.addTask { try await finish(begun, world).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.sorted() == [200, 403, 403, 403, 403])
        }
    }

    @Test func `one person who comes several times at once is one person`() async throws {
        try await withProvider { world, owner, _ in
            let begun = [
                try await begin(world, owner), try await begin(world, owner), try await begin(world, owner),
            ]
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for one in begun { group.addTask { try await finish(one, world).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == [200, 200, 200])
            let members = try await world.send(
                "GET", "/api/v1/organizations/\(owner.organization)/members", as: owner)
            #expect(members.json?["data"]?.count == 2)
        }
    }
}
