import Base
import Identity
import JSON
import Loop
import Testing

struct SessionTests {
    @Test func `a refresh token is good once, and whoever presents it again ends the session for both`()
        async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let first = try await world.refresh(ann.refreshToken)
            let next = try #require(first.json?["refresh_token"]?.string)
            let token = try #require(first.json?["access_token"]?.string)
            #expect(next != ann.refreshToken)
            #expect(try await world.send("GET", "/api/auth/me", as: .bearer(token)).status == 200)

            #expect(try await world.refresh(ann.refreshToken).status == 401)
            #expect(try await world.refresh(next).status == 401)
            for token in [token, ann.token] {
                #expect(try await world.send("GET", "/api/auth/me", as: .bearer(token)).status == 401)
            }
            // Other sessions of the same person are not touched.
            _ = try await world.signIn(ann.email)
        }
    }

    @Test func `of fifty who refresh one token at the same time exactly one gets through`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<50 { group.addTask { try await world.refresh(ann.refreshToken).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == 200 } == 1)
            #expect(statuses.count { $0 == 401 } == 49)
            #expect(try await world.send("GET", "/api/auth/me", as: ann).status == 401)
        }
    }

    @Test func `an access token ends after fifteen minutes, the session goes on`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            world.age(.seconds(14 * 60))
            #expect(try await world.send("GET", "/api/auth/me", as: ann).status == 200)
            world.age(.seconds(61))
            let late = try await world.send("GET", "/api/auth/me", as: ann)
            #expect((late.status, late.code) == (401, "invalid_token"))
            #expect(try await world.refresh(ann.refreshToken).status == 200)
            let end = try await world.signIn(ann.email)
            world.age(.seconds(31 * 86_400))
            #expect(try await world.refresh(end.refreshToken).status == 401)
        }
    }

    @Test func `a session that is ended, by itself or from another, is good for nothing at once`()
        async throws
    {
        try await ManagementWorld.run { world in
            let here = try await world.newPerson("ann")
            let there = try await world.signIn(here.email)
            let list = try await world.send("GET", "/api/auth/sessions", as: here)
            let others = list.json?["data"]?.elements.filter { $0["current"]?.bool == false } ?? []
            #expect(list.json?["data"]?.count == 2)
            let other = try #require(others.first?["id"]?.string)
            #expect(try await world.send("DELETE", "/api/auth/sessions/\(other)", as: here).status == 204)
            #expect(try await world.send("GET", "/api/auth/me", as: there).status == 401)
            #expect(try await world.refresh(there.refreshToken).status == 401)
            #expect(try await world.send("POST", "/api/auth/logout", as: here).status == 204)
            #expect(try await world.send("GET", "/api/auth/me", as: here).status == 401)
            #expect(try await world.refresh(here.refreshToken).status == 401)
        }
    }

    @Test func `nobody ends the session of somebody else`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let bob = try await world.newPerson("bob")
            let list = try await world.send("GET", "/api/auth/sessions", as: ann)
            let session = try #require(list.json?["data"]?.element(0)?["id"]?.string)
            #expect(try await world.send("DELETE", "/api/auth/sessions/\(session)", as: bob).status == 404)
            #expect(try await world.send("GET", "/api/auth/me", as: ann).status == 200)
        }
    }

    @Test func `a browser's cookie cannot be read by scripts, and counts only on its own site`() async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let body =
                #"{"email":"ann@example.com","password":"\#(ManagementWorld.password)","session":"cookie"}"#
            let foreign = try await world.send(
                "POST", "/api/auth/login", body, fields: [("Origin", "https://evil.example")])
            #expect((foreign.status, foreign.code) == (403, "cross_origin"))
            let home = "https://hivegate.test"
            let answer = try await world.send("POST", "/api/auth/login", body, fields: [("Origin", home)])
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.json?["access_token"] == nil)
            let field = try #require(answer["set-cookie"])
            #expect(field.hasPrefix("__Host-hivegate="))
            for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
                #expect(field.contains(attribute))
            }
            #expect(!field.contains("Domain"))
            let cookie = String(field.prefix { $0 != ";" })
            func call(_ method: String, _ path: String, from origin: String?) async throws -> Int {
                let sent = method == "POST" ? #"{"name":"made in a browser"}"# : nil
                return try await world.send(method, path, as: .cookie(cookie, origin: origin), sent).status
            }
            let keys = "/api/auth/api-keys"
            let reading = try await call("GET", keys, from: nil)
            let writing = try await call("POST", keys, from: home)
            let blind = try await call("POST", keys, from: nil)
            let crossed = try await call("POST", keys, from: "https://evil.example")
            let opaque = try await call("POST", keys, from: "null")
            #expect((reading, writing, blind, crossed, opaque) == (200, 201, 403, 403, 403))
            let out = try await world.send("POST", "/api/auth/logout", as: .cookie(cookie, origin: home))
            #expect(out.status == 204)
            #expect(out["set-cookie"]?.contains("Max-Age=0") == true)
            #expect(try await call("GET", keys, from: nil) == 401)
            #expect(try await world.send("GET", "/api/auth/me", as: ann).status == 200)
        }
    }

    @Test func `a cookie that lies idle for a week ends`() async throws {
        try await ManagementWorld.run { world in
            _ = try await world.newPerson("ann")
            let body =
                #"{"email":"ann@example.com","password":"\#(ManagementWorld.password)","session":"cookie"}"#
            let answer = try await world.send(
                "POST", "/api/auth/login", body, fields: [("Origin", "https://hivegate.test")])
            let cookie = String(try #require(answer["set-cookie"]).prefix { $0 != ";" })
            for days in [6, 6, 8] {
                world.age(.seconds(days * 86_400))
                let status = try await world.send("GET", "/api/auth/me", as: .cookie(cookie, origin: nil))
                    .status
                #expect(status == (days < 7 ? 200 : 401))
            }
        }
    }

    @Test func `after a rotation new tokens carry another key, old ones go on until they expire`()
        async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let rotated = try await world.send("POST", "/api/v1/admin/signing-keys/rotate", as: ann)
            let kid = try #require(rotated.json?["kid"]?.string)
            let keys = try await world.send("GET", "/.well-known/jwks.json")
            let kids = keys.json?["keys"]?.elements.compactMap { $0["kid"]?.string } ?? []
            #expect(kids.count == 2 && kids.contains(kid))
            #expect(keys.json?["keys"]?.element(0)?["d"] == nil)
            #expect(try await world.send("GET", "/api/auth/me", as: ann).status == 200)
            let fresh = try await world.signIn(ann.email)
            let heading = try #require(Base64.decodeURL(fresh.token.prefix { $0 != "." }))
            #expect(try JSONDocument(parsing: heading)["kid"]?.string == kid)
        }
    }

    @Test func `a key that another process made is learned when its first token comes`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            // Another process: the same database, keys of its own.
            let elsewhere = SigningKeys(issuer: "https://hivegate.test", audience: "https://hivegate.test")
            _ = try await world.signingKeyStore.rotate(by: .command)
            elsewhere.replace(with: try await world.signingKeyStore.load())
            let list = try await world.send("GET", "/api/auth/sessions", as: ann)
            let session = try #require(UUID(list.json?["data"]?.element(0)?["id"]?.string ?? ""))
            let token = elsewhere.sign(
                AccessToken(
                    user: ann.user, organization: ann.organization, session: session, issuedAt: .now(),
                    expiresAt: .now() + .seconds(60)))
            #expect(try await world.send("GET", "/api/auth/me", as: .bearer(token)).status == 200)
        }
    }
}

extension ManagementWorld {
    func refresh(_ token: String) async throws -> Answer {
        try await send("POST", "/api/auth/refresh", #"{"refresh_token":"\#(token)"}"#)
    }
}
