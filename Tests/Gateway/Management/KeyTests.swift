import Base
import Identity
import JSON
import Testing

struct KeyTests {
    @Test func `a key is shown once, works at once, and is refused from the moment it is revoked`()
        async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            for _ in 0..<20 {
                let made = try await world.send(
                    "POST", "/api/auth/api-keys", as: ann, #"{"name":"Production"}"#)
                let key = try #require(made.json?["key"]?.string)
                let id = try #require(made.json?["id"]?.string)
                #expect(try await world.models(key) == 200)
                let shown = try await world.send("GET", "/api/auth/api-keys/\(id)", as: ann)
                #expect(shown.status == 200 && !shown.text.contains(key))
                #expect(shown.json?["last_four"]?.string.map { key.hasSuffix($0) } == true)
                #expect(try await world.send("DELETE", "/api/auth/api-keys/\(id)", as: ann).status == 204)
                #expect(try await world.models(key) == 401)
                #expect(try await world.send("DELETE", "/api/auth/api-keys/\(id)", as: ann).status == 404)
            }
        }
    }

    @Test func `what a key may do changes with its next request`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let made = try await world.send(
                "POST", "/api/auth/api-keys", as: ann,
                #"{"name":"k","allowed_models":["sandbox/echo"],"limits":{"requests_per_minute":5}}"#)
            let key = try #require(made.json?["key"]?.string)
            let path = "/api/auth/api-keys/\(made.json?["id"]?.string ?? "")"
            func ask(_ model: String) async throws -> Int {
                try await world.send(
                    "POST", "/v1/chat/completions", as: .bearer(key),
                    #"{"model":"\#(model)","messages":[{"role":"user","content":"hi"}]}"#
                ).status
            }
            #expect(try await ask("sandbox/echo") == 200)
            #expect(try await ask("sandbox/story") == 403)
            let opened = try await world.send("PATCH", path, as: ann, #"{"allowed_models":null}"#)
            #expect(opened.json?["allowed_models"]?.isNull == true)
            #expect(opened.json?["limits"]?["requests_per_minute"]?.int == 5)
            #expect(try await ask("sandbox/story") == 200)
            _ = try await world.send("PATCH", path, as: ann, #"{"scopes":["read"]}"#)
            #expect(try await ask("sandbox/echo") == 403)
            let management = try await world.send("GET", "/api/auth/api-keys", as: .bearer(key))
            #expect(management.status == 200)
            let writing = try await world.send(
                "POST", "/api/auth/api-keys", as: .bearer(key), #"{"name":"more"}"#)
            #expect((writing.status, writing.code) == (403, "missing_scope"))
        }
    }

    @Test func `a key that takes another's place leaves it time`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let made = try await world.send("POST", "/api/auth/api-keys", as: ann, #"{"name":"k"}"#)
            let old = try #require(made.json?["key"]?.string)
            let path = "/api/auth/api-keys/\(made.json?["id"]?.string ?? "")"
            let rotated = try await world.send(
                "POST", "\(path)/rotate", as: ann, #"{"overlap_seconds":600}"#)
            #expect(rotated.status == 201, "\(rotated.text)")
            #expect(rotated.json?["rotated_from"]?.string == made.json?["id"]?.string)
            let new = try #require(rotated.json?["key"]?.string)
            #expect(try await world.models(old) == 200)
            #expect(try await world.models(new) == 200)
            world.age(.seconds(601))
            #expect(try await world.models(old) == 401)
            #expect(try await world.models(new) == 200)
        }
    }

    @Test func `a key ends when it was said to`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let past = try await world.send(
                "POST", "/api/auth/api-keys", as: ann, #"{"name":"k","expires_at":"2020-01-01T00:00:00Z"}"#)
            #expect(past.status == 422 && past.json?["error"]?["param"]?.string == "expires_at")
            let end = Timestamp.now() + .seconds(60)
            let key = try await world.newKey(of: ann, #"{"name":"k","expires_at":"\#(end)"}"#)
            #expect(try await world.models(key) == 200)
            world.age(.seconds(61))
            #expect(try await world.models(key) == 401)
        }
    }

    @Test func `a member's keys are their own business, and an admin's too`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let bob = try await world.newMember("bob", of: ann, as: .member)
            let cid = try await world.newMember("cid", of: ann, as: .member)
            let made = try await world.send("POST", "/api/auth/api-keys", as: bob, #"{"name":"k"}"#)
            let path = "/api/auth/api-keys/\(made.json?["id"]?.string ?? "")"
            let refused = try await world.send("DELETE", path, as: cid)
            #expect((refused.status, refused.code) == (403, "role_forbidden"))
            #expect(refused.text.contains("keys.manage"))
            #expect(try await world.send("DELETE", path, as: ann).status == 204)
        }
    }

    @Test func `a key makes no key that may do more than itself`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let admin = try await world.newKey(of: ann, #"{"name":"k","scopes":["admin"]}"#)
            let more = try await world.send(
                "POST", "/api/auth/api-keys", as: .bearer(admin), #"{"name":"k","scopes":["inference"]}"#)
            #expect(more.status == 422 && more.json?["error"]?["param"]?.string == "scopes")
            let same = try await world.send(
                "POST", "/api/auth/api-keys", as: .bearer(admin), #"{"name":"k","scopes":["admin"]}"#)
            #expect(same.status == 201)
        }
    }

    @Test func `everything that is wrong with a body is said at once, and nothing is done`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let body = """
                {"name":"","scopes":["inference","root"],"limits":{"requests_per_minute":-1,"per_year":1},
                "expires_at":"tomorrow","color":"red"}
                """
            let answer = try await world.send("POST", "/api/auth/api-keys", as: ann, body)
            #expect(answer.status == 422)
            let fields = answer.json?["error"]?["errors"]?.elements.compactMap { $0["field"]?.string } ?? []
            #expect(
                Set(fields) == [
                    "name", "scopes[1]", "limits.requests_per_minute", "limits.per_year", "expires_at",
                    "color",
                ])
            let list = try await world.send("GET", "/api/auth/api-keys", as: ann)
            #expect(list.json?["data"]?.count == 0)
        }
    }

    @Test func `what is done is written down with who did it, and can be searched and exported`() async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let made = try await world.send("POST", "/api/auth/api-keys", as: ann, #"{"name":"=cmd()"}"#)
            let id = try #require(made.json?["id"]?.string)
            _ = try await world.send("DELETE", "/api/auth/api-keys/\(id)", as: ann)
            let trail = try await world.send("GET", "/api/v1/audit?target=\(id)", as: ann)
            let actions = trail.json?["data"]?.elements.compactMap { $0["action"]?.string } ?? []
            #expect(actions == ["key.revoke", "key.create"])
            let entry = try #require(trail.json?["data"]?.element(0))
            #expect(entry["actor"]?["user_id"]?.string == ann.user.description)
            #expect(entry["actor"]?["address"]?.string == "127.0.0.1")
            #expect(entry["before"]?["name"]?.string == "=cmd()")
            let one = try await world.send("GET", "/api/v1/audit?limit=1", as: ann)
            #expect(one.json?["has_more"]?.bool == true)
            let last = try #require(one.json?["data"]?.element(0)?["sequence"]?.int)
            let next = try await world.send("GET", "/api/v1/audit?limit=1&before=\(last)", as: ann)
            #expect(next.json?["data"]?.element(0)?["sequence"]?.int == last - 1)
            let table = try await world.send("GET", "/api/v1/audit?format=csv&action=key.create", as: ann)
            #expect(table["content-type"]?.hasPrefix("text/csv") == true)
            #expect(table.text.split(separator: "\r\n").count == 2)
            let chain = try await AuditVerification(world.pool, world.audit).verify(ann.organization)
            #expect(chain.breach == nil && chain.entryCount == 3)
        }
    }
}
