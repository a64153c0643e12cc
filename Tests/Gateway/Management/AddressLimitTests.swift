import Base
import TestKit
import Testing

/// Requests of nobody known, from one address.
struct AddressLimitTests {
    private static func run(
        _ count: Int, _ body: @escaping @Sendable (ManagementWorld) async throws -> Void
    ) async throws {
        var options = ManagementWorld.Options()
        options.addressRequestsPerMinute = count
        try await ManagementWorld.run(options, body)
    }

    private static func ask(
        _ path: String, from address: String, _ world: ManagementWorld, method: String = "GET",
        key: String? = nil, _ body: String? = nil
    ) async throws -> ManagementWorld.Answer {
        try await world.send(
            method, path, as: key.map { .bearer($0) } ?? .none, body,
            fields: [("X-Forwarded-For", address)])
    }

    private static let home = "192.0.2.1"

    @Test func `open routes count for the address together, and what is too many is told when to come back`()
        async throws
    {
        try await Self.run(4) { world in
            let keys = try await Self.ask("/.well-known/jwks.json", from: Self.home, world)
            #expect(keys.status == 200, "\(keys.text)")
            #expect(keys["x-ratelimit-limit"] == "4" && keys["x-ratelimit-remaining"] == "3")
            #expect(try await Self.ask("/openapi.json", from: Self.home, world).status == 200)
            let nobody = #"{"email":"nobody@example.com","password":"wrong password"}"#
            for expected in [401, 401, 429] {
                let login = try await Self.ask(
                    "/api/auth/login", from: Self.home, world, method: "POST", nobody)
                #expect(login.status == expected, "\(login.text)")
            }
            let refused = try await Self.ask("/openapi.json", from: Self.home, world)
            #expect(refused.status == 429 && refused.code == "rate_limited")
            #expect(refused.text.contains("address:192.0.2.1:requests_per_minute"), "\(refused.text)")
            #expect((1...120).contains(refused["retry-after"].flatMap(Int.init) ?? 0))
            #expect(refused["x-ratelimit-remaining"] == "0")
            for path in ["/livez", "/readyz", "/metrics"] {
                #expect(try await Self.ask(path, from: Self.home, world).status == 200)
            }
            #expect(try await Self.ask("/openapi.json", from: "192.0.2.2", world).status == 200)
        }
    }

    @Test func `who shows no key, or none that there can be, counts for the address; who has one does not`()
        async throws
    {
        try await Self.run(10) { world in
            let ann = try await world.newPerson("ann")
            let key = try await world.newKey(of: ann, #"{"name":"k"}"#)
            let question = #"{"model":"sandbox/echo","messages":[{"role":"user","content":"hi"}]}"#
            func ask(_ key: String?) async throws -> Int {
                try await Self.ask(
                    "/v1/chat/completions", from: Self.home, world, method: "POST", key: key, question
                ).status
            }
            for number in 0..<14 {
                let shown = number.isMultiple(of: 2) ? nil : "hg_live_mistyped"
                #expect(try await ask(shown) == (number < 10 ? 401 : 429))
            }
            #expect(try await Self.ask("/v1/models", from: Self.home, world).status == 429)
            for _ in 0..<12 { #expect(try await ask(key) == 200) }
            let me = try await Self.ask("/api/auth/me", from: Self.home, world, key: ann.token)
            #expect(me.status == 200)
        }
    }

    @Test func `who has one address of IPv6 has the network, and the next network is another's`() async throws
    {
        try await Self.run(2) { world in
            func ask(_ address: String) async throws -> Int {
                try await Self.ask("/openapi.json", from: address, world).status
            }
            // What stands left of the last proxy's word anybody may have written.
            let asking = [
                ("2001:db8:0:1::1", 200), ("2001:db8:0:1:ffff::2", 200), ("2001:db8:0:1::3", 429),
                ("2001:db8:0:2::1", 200), ("2001:db8:0:2::9, 2001:db8:0:1::7", 429),
            ]
            for (address, expected) in asking {
                let status = try await ask(address)
                #expect(status == expected, "\(address)")
            }
        }
    }

    @Test func `without Redis the address is limited all the same`() async throws {
        try await Self.run(2) { world in
            try await world.redisServer.kill()
            for expected in [200, 200, 429] {
                let answer = try await Self.ask("/openapi.json", from: Self.home, world)
                #expect(answer.status == expected)
                #expect(answer["x-hivegate-degraded"] == "redis")
            }
        }
    }
}
