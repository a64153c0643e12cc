import Admission
import Base
import JSON
import Loop
import TestKit
import Testing

/// What callers are told of what they have used, and requests that manage.
struct LimitUseTests {
    private static func set(
        _ limits: String, of person: ManagementWorld.Person, _ world: ManagementWorld
    ) async throws {
        let answer = try await world.send(
            "PUT", "/api/v1/organizations/\(person.organization)/limits", as: person,
            #"{"limits":\#(limits)}"#)
        #expect(answer.status == 200, "\(answer.text)")
    }

    private static func complete(
        _ model: String, _ key: String, _ world: ManagementWorld
    ) async throws -> ManagementWorld.Answer {
        try await world.send(
            "POST", "/v1/chat/completions", as: .bearer(key),
            #"{"model":"\#(model)","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#)
    }

    /// A line for each limit: used, remaining, and whether it says when it is clear.
    private static func uses(
        _ credential: ManagementWorld.Credential, _ world: ManagementWorld
    ) async throws -> [String] {
        let answer = try await world.send("GET", "/api/v1/limits", as: credential)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.json?["degraded"] == nil)
        return answer.json?["limits"]?.elements.map { limit in
            let name = limit["name"]?.string.map { ":\($0)" } ?? ""
            let reset: String =
                switch limit["resets_in_seconds"] {
                case nil: "absent"
                case let value? where value.isNull: "null"
                case let value?: (1...32 * 86_400).contains(value.int ?? 0) ? "some" : "wrong"
                }
            let used = limit["used"]?.int.map { "\($0)" } ?? "-"
            let remaining = limit["remaining"]?.int.map { "\($0)" } ?? "-"
            return "\(limit["subject"]?.string ?? "")\(name) \(limit["limit"]?.string ?? "") "
                + "\(used) \(remaining) \(reset)"
        } ?? []
    }

    private static let rules = #"""
        {"organization":{"requests_per_month":9},"user":{"requests_per_day":5},"key":{"requests_per_hour":4,
        "concurrent_requests":3},"model":{"requests_per_minute":7},"models":{"sandbox/echo":{"tokens_per_day":1000},
        "sandbox/slow":{"tokens_per_day":1000}},"groups":{"chat":{"requests_per_day":8},"images":{"requests_per_day":8}}}
        """#

    @Test func `callers see what is used of each limit, and what is left`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let key = try await world.newKey(of: ann, #"{"name":"k"}"#)
            try await Self.set(Self.rules, of: ann, world)
            for _ in 0..<2 {
                #expect(try await Self.complete("sandbox/echo", key, world).status == 200)
            }
            let tokens = try await world.send("GET", "/api/v1/limits", as: .bearer(key)).json?["limits"]?
                .elements.first { $0["limit"]?.string == "tokens_per_day" && $0["used"]?.int != 0 }
            let used = try #require(tokens?["used"]?.int)
            // Two small answers, and nothing of what was reserved.
            #expect((2..<60).contains(used), "\(used)")
            let ofAll = [
                "model requests_per_minute - - absent", "model:sandbox/echo requests_per_minute 2 5 some",
                "model:sandbox/echo tokens_per_day \(used) \(1000 - used) some",
                "model:sandbox/slow requests_per_minute 0 7 null",
                "model:sandbox/slow tokens_per_day 0 1000 null", "group:chat requests_per_day 2 6 some",
                "group:images requests_per_day 0 8 null",
            ]
            let mine = ["organization requests_per_month 2 7 some", "user requests_per_day 2 3 some"]
            let ofKey = ["key requests_per_hour 2 2 some", "key concurrent_requests 0 3 null"]
            #expect(try await Self.uses(.bearer(key), world) == mine + ofKey + ofAll)
            #expect(try await Self.uses(.bearer(ann.token), world) == mine + ofAll)
            // Of the month the database knows more than a Redis that has lost everything.
            await world.quotaWriter.write()
            try await world.flushRedis()
            let left = try await Self.uses(.bearer(ann.token), world)
            #expect(
                left.prefix(2) == [
                    "organization requests_per_month 2 7 some", "user requests_per_day 0 5 null",
                ])
        }
    }

    @Test func `requests under way are seen, and without Redis it is said that nothing is known`()
        async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let key = try await world.newKey(of: ann, #"{"name":"k"}"#)
            try await Self.set(#"{"organization":{"concurrent_requests":3}}"#, of: ann, world)
            async let slow = Self.complete("sandbox/slow", key, world)
            try await world.loop.sleep(for: .milliseconds(200))
            #expect(
                try await Self.uses(.bearer(ann.token), world) == [
                    "organization concurrent_requests 1 2 null"
                ])
            #expect(try await slow.status == 200)
            #expect(
                try await Self.uses(.bearer(ann.token), world) == [
                    "organization concurrent_requests 0 3 null"
                ])
            try await world.redisServer.kill()
            let answer = try await world.send("GET", "/api/v1/limits", as: ann)
            #expect(answer.status == 200 && answer.json?["degraded"]?.bool == true, "\(answer.text)")
            #expect(answer.json?["limits"]?.elements.map(\.self).count == 1)
            #expect(!answer.text.contains("used") && !answer.text.contains("remaining"))
        }
    }

    @Test
    func `requests that manage are limited where the rules say so, but nobody locks the door behind himself`()
        async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let key = try await world.newKey(of: ann, #"{"name":"k","scopes":["read"]}"#)
            let bob = try await world.newPerson("bob")
            let path = "/api/v1/organizations/\(ann.organization)/limits"
            try await Self.set(
                #"{"groups":{"management":{"requests_per_day":3,"concurrent_requests":2}}}"#, of: ann, world)
            func list(_ credential: ManagementWorld.Credential) async throws -> ManagementWorld.Answer {
                try await world.send("GET", "/api/auth/api-keys", as: credential)
            }
            let first = try await list(.bearer(ann.token))
            #expect(first.status == 200 && first["x-ratelimit-remaining"] == "2", "\(first.text)")
            let limits = try await world.send("GET", "/api/v1/limits", as: .bearer(key))
            #expect(limits.status == 200 && limits["x-ratelimit-remaining"] == "1", "\(limits.text)")
            #expect(try await list(.bearer(ann.token)).status == 200)
            let refused = try await list(.bearer(ann.token))
            #expect(refused.status == 429 && refused.code == "rate_limited", "\(refused.text)")
            #expect(refused.text.contains("group:management:requests_per_day"))
            #expect(try await world.send("GET", "/api/v1/limits", as: .bearer(key)).status == 429)
            // Models are asked all the same, others are not concerned, and the rules can be changed.
            #expect(try await list(.bearer(bob.token)).status == 200)
            #expect(try await world.send("GET", path, as: ann).status == 200)
            try await Self.set(#"{"groups":{"management":{"requests_per_day":0}}}"#, of: ann, world)
            let blocked = try await list(.bearer(ann.token))
            #expect(blocked.status == 403 && blocked.code == "blocked_by_limit", "\(blocked.text)")
            try await Self.set("{}", of: ann, world)
            let free = try await list(.bearer(ann.token))
            #expect(free.status == 200 && free["x-ratelimit-limit"] == nil)
        }
    }
}
