import Base
import Cache
import Gateway
import Identity
import JSON
import Loop
import Providers
import TestKit
import Testing

/// What organizations learn of their kept answers, and when these are deleted.
struct AnswerTests {
    private typealias Person = ManagementWorld.Person

    /// Somebody whose organization keeps answers, with a key; `openai` numbers its answers.
    private static func run(
        _ body: @escaping @Sendable (ManagementWorld, Person, _ key: String) async throws -> Void
    ) async throws {
        try await onLoop { loop in
            let count = Locked(0)
            let server = try ScriptedUpstream(on: loop) { peer in
                guard let head = try await peer.head() else { return }
                let length = head.split(separator: "\r\n").first {
                    $0.lowercased().hasPrefix("content-length: ")
                }?
                .split(separator: " ").last.flatMap { Int($0) }
                _ = try await peer.read(length ?? 0)
                let number = count.withLock { count in
                    defer { count += 1 }
                    return count
                }
                let answer =
                    #"{"choices":[{"index":0,"message":{"role":"assistant","content":"answer \#(number)"},"#
                    + #""finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2}}"#
                try await peer.write(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                        + "Content-Length: \(answer.utf8.count)\r\n\r\n\(answer)")
            }
            var options = ManagementWorld.Options()
            options.outboundExceptions = [IPNetwork("127.0.0.0/8")].compactMap(\.self)
            options.upstreams = [
                Upstream.Settings(
                    name: "openai", chat: OpenAIChatCodec(.openAI), baseURL: server.url,
                    keys: [Secret("instance")])
            ]
            try await ManagementWorld.run(options) { world in
                let ann = try await world.newPerson("ann")
                try await keepAnswers(of: ann, world)
                try await body(world, ann, try await key(of: ann, world))
            }
            server.close()
        }
    }

    private static func keepAnswers(of person: Person, _ world: ManagementWorld) async throws {
        let set = try await world.send(
            "PUT", "/api/v1/organizations/\(person.organization)/cache", as: person, #"{"enabled":true}"#)
        #expect(set.status == 200, "\(set.text)")
    }

    private static func key(of person: Person, _ world: ManagementWorld) async throws -> String {
        let made = try await world.send(
            "POST", "/api/auth/api-keys", as: person, #"{"name":"test","scopes":["inference","read"]}"#)
        return try #require(made.json?["key"]?.string, "\(made.text)")
    }

    /// What is answered, and `X-Cache` and `X-Cache-Key` with it.
    private static func ask(
        _ text: String, _ world: ManagementWorld, _ key: String, model: String = "openai/of-nobody"
    ) async throws -> (text: String, cache: String?, key: String) {
        let answer = try await world.send(
            "POST", "/v1/chat/completions", as: .bearer(key),
            #"{"model":"\#(model)","messages":[{"role":"user","content":"\#(text)"}]}"#)
        // What is kept is kept a moment later.
        try await world.loop.sleep(for: .milliseconds(20))
        return (
            answer.json?["choices"]?.element(0)?["message"]?["content"]?.string ?? answer.text,
            answer["x-cache"], answer["x-cache-key"] ?? ""
        )
    }

    @Test func `an organization sees what its answers were good for, and nobody else does`() async throws {
        try await Self.run { world, ann, key in
            for text in ["one", "one", "one", "two"] { _ = try await Self.ask(text, world, key) }
            await world.tellStatistics()
            let shown = try await world.send("GET", "/api/v1/cache/stats?days=2", as: .bearer(key))
            #expect(shown.status == 200, "\(shown.text)")
            #expect(shown.json?["days"]?.count == 2)
            for counts in [shown.json?["total"], shown.json?["days"]?.element(0)] {
                #expect(counts?["hits"]?.int == 2)
                #expect(counts?["misses"]?.int == 2)
                #expect(counts?["stored"]?.int == 2)
                #expect(counts?["hit_rate"]?.double == 0.5)
                #expect(counts?["tokens_saved"]?.int == 14)
                #expect(counts?["saved"]?["nano"]?.string == "0")
                #expect(counts?["saved"]?["usd"]?.string == "0")
            }
            #expect(shown.json?["days"]?.element(1)?["hit_rate"]?.isNull == true)
            let week = try await world.send("GET", "/api/v1/cache/stats", as: ann)
            #expect(week.json?["days"]?.count == 7)
            let bob = try await world.newPerson("bob")
            let other = try await world.send("GET", "/api/v1/cache/stats", as: bob)
            #expect(other.json?["total"]?["hits"]?.int == 0)
            for days in ["0", "36", "x"] {
                #expect(
                    try await world.send("GET", "/api/v1/cache/stats?days=\(days)", as: ann).status == 422)
            }
        }
    }

    @Test
    func `answers are deleted by their key, by model or all, the organization's own, and it is written down`()
        async throws
    {
        try await Self.run { world, ann, key in
            func delete(_ query: String = "") async throws -> Int? {
                try await world.send("DELETE", "/api/v1/cache\(query)", as: ann).json?["deleted"]?.int
            }
            let bob = try await world.newPerson("bob")
            try await Self.keepAnswers(of: bob, world)
            let theirs = try await Self.key(of: bob, world)
            _ = try await Self.ask("one", world, theirs)
            let one = try await Self.ask("one", world, key)
            _ = try await Self.ask("two", world, key)
            _ = try await Self.ask("three", world, key, model: "openai/another")
            #expect(try await delete("?key=\(one.key)") == 1)
            #expect(try await delete("?key=\(one.key)") == 0)
            #expect(try await Self.ask("two", world, key).cache == "HIT")
            #expect(try await Self.ask("one", world, key).cache == "MISS")
            #expect(try await delete("?model=openai/another") == 1)
            #expect(try await Self.ask("three", world, key, model: "openai/another").cache == "MISS")
            #expect(try await delete() == 3)
            #expect(try await Self.ask("two", world, key).cache == "MISS")
            #expect(try await Self.ask("one", world, theirs).cache == "HIT")

            let both = try await world.send("DELETE", "/api/v1/cache?key=\(one.key)&model=m", as: ann)
            #expect(both.status == 422 && both.code == "ambiguous_purge")
            #expect(try await world.send("DELETE", "/api/v1/cache?key=none", as: ann).status == 422)
            // A key that may only read, and infer.
            #expect(try await world.send("DELETE", "/api/v1/cache", as: .bearer(key)).status == 403)
            let trail = try await world.send("GET", "/api/v1/audit?limit=4", as: ann)
            let deeds = trail.json?["data"]?.elements.map(\.self) ?? []
            #expect(deeds.allSatisfy { $0["action"]?.string == "organization.cache.purge" })
            #expect(deeds.map { $0["after"]?["deleted"]?.int } == [3, 1, 0, 1])
            #expect(deeds.map { $0["after"]?["model"]?.string } == [nil, "openai/another", nil, nil])
            #expect(deeds.last?["after"]?["key"]?.string == one.key)
        }
    }

    @Test func `what changes how an organization's requests are answered deletes its answers and no others`()
        async throws
    {
        try await Self.run { world, ann, key in
            let bob = try await world.newPerson("bob")
            try await Self.keepAnswers(of: bob, world)
            let theirs = try await Self.key(of: bob, world)
            _ = try await Self.ask("hi", world, theirs)
            _ = try await Self.ask("hi", world, key)
            func expectAllGone(_ change: String, _ status: Int, _ answer: ManagementWorld.Answer) async throws
            {
                #expect(answer.status == status, "\(change): \(answer.text)")
                #expect(try await Self.ask("hi", world, key).cache == "MISS", "\(change)")
                #expect(try await Self.ask("hi", world, key).cache == "HIT", "\(change)")
            }
            let organization = "/api/v1/organizations/\(ann.organization)"
            try await expectAllGone(
                "cache", 200,
                try await world.send(
                    "PUT", "\(organization)/cache", as: ann, #"{"enabled":true,"ttl_seconds":60}"#))
            try await expectAllGone(
                "routing", 200,
                try await world.send("PUT", "\(organization)/routing", as: ann, #"{"ignore":["groq"]}"#))
            // Of a provider that the question does not go to, so that it goes on being answered.
            let made = try await world.send(
                "POST", "/api/v1/credentials", as: ann, #"{"provider":"groq","api_key":"sk-none"}"#)
            try await expectAllGone("create", 201, made)
            let path = "/api/v1/credentials/\(made.json?["id"]?.string ?? "")"
            try await expectAllGone(
                "disable", 200, try await world.send("PATCH", path, as: ann, #"{"disabled":true}"#))
            try await expectAllGone("delete", 204, try await world.send("DELETE", path, as: ann))
            #expect(try await Self.ask("hi", world, theirs).cache == "HIT")
        }
    }

    @Test func `without Redis nothing is told of answers, and what was to be deleted is deleted later`()
        async throws
    {
        try await Self.run { world, ann, key in
            _ = try await Self.ask("hi", world, key)
            try await world.redisServer.kill()
            try await world.awaitRedis(isReady: false)
            for (method, path) in [("GET", "/api/v1/cache/stats"), ("DELETE", "/api/v1/cache")] {
                let refused = try await world.send(method, path, as: ann)
                #expect(refused.status == 503 && refused.code == "cache_unavailable", "\(refused.text)")
                #expect(refused["retry-after"] != nil)
            }
            let trail = try await world.send("GET", "/api/v1/audit?limit=1", as: ann)
            #expect(trail.json?["data"]?.element(0)?["action"]?.string != "organization.cache.purge")
            let set = try await world.send(
                "PUT", "/api/v1/organizations/\(ann.organization)/routing", as: ann, #"{"ignore":["groq"]}"#)
            #expect(set.status == 200)
            try await world.redisServer.start()
            try await world.awaitRedis(isReady: true)
            while try await world.purgeTime(of: ann.organization) == nil {
                try await world.loop.sleep(for: .milliseconds(20))
            }
        }
    }
}
