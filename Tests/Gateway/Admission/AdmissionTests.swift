import Base
import HTTPClient
import Identity
import Loop
import TestKit
import Testing

/// What a client notices of limits.
@Suite struct AdmissionTests {
    /// Runs `body` with a gateway that has a Redis of its own.
    static func run(_ body: @escaping @Sendable (GatewayWorld) async throws -> Void) async throws {
        try await onLoop { loop in
            try await PrivateRedis.with(on: loop) { redis in
                try await GatewayWorld.run(upstreams: [:], redis: redis, body)
            }
        }
    }

    private static func terms(_ limits: String) -> OrganizationTerms {
        OrganizationTerms(limits: Array(limits.utf8))
    }

    @Test func `an answer says how much is left, and the request that is too many when to come back`()
        async throws
    {
        try await Self.run { world in
            let key = world.key(limits: #"{"requests_per_hour":2}"#)
            let first = try await world.complete("sandbox/echo", key: key)
            #expect(first.status == 200, "\(first.text)")
            #expect(first["x-ratelimit-limit"] == "2")
            #expect(first["x-ratelimit-remaining"] == "1")
            #expect(first["x-ratelimit-limit-requests"] == "2")
            #expect(first["x-ratelimit-remaining-requests"] == "1")
            #expect(first["x-ratelimit-limit-tokens"] == nil)
            #expect(first["x-hivegate-degraded"] == nil)
            let second = try await world.complete("sandbox/echo", key: key)
            #expect(second["x-ratelimit-remaining"] == "0")
            let third = try await world.complete("sandbox/echo", key: key)
            #expect(third.status == 429)
            #expect(third.code == "rate_limited")
            #expect(third.text.contains("The limit of the API key is reached: 2 requests per hour."))
            #expect(third.text.contains("requests_per_hour"))
            #expect(third["x-ratelimit-remaining"] == "0")
            let seconds = third["retry-after"].flatMap(Int.init) ?? 0
            #expect((1...7200).contains(seconds), "\(seconds)")
        }
    }

    @Test func `an organization's limit is shared by its keys, and another's is its own`() async throws {
        try await Self.run { world in
            let organization = UUID.make()
            let terms = Self.terms(#"{"organization":{"requests_per_day":2}}"#)
            let one = world.key(of: organization, terms: terms)
            let two = world.key(of: organization, terms: terms)
            #expect(try await world.complete("sandbox/echo", key: one).status == 200)
            #expect(try await world.complete("sandbox/echo", key: two).status == 200)
            let refused = try await world.complete("sandbox/echo", key: one)
            #expect(refused.status == 429)
            #expect(refused.text.contains("organization:requests_per_day"))
            let other = world.key(terms: terms)
            #expect(try await world.complete("sandbox/echo", key: other).status == 200)
        }
    }

    @Test func `a refused request takes nothing of any limit`() async throws {
        try await Self.run { world in
            let organization = UUID.make()
            let terms = Self.terms(
                #"{"organization":{"requests_per_day":3},"models":{"sandbox/echo":{"requests_per_day":1}}}"#)
            let key = world.key(of: organization, terms: terms)
            #expect(try await world.complete("sandbox/echo", key: key).status == 200)
            for _ in 0..<5 {
                let refused = try await world.complete("sandbox/echo", key: key)
                #expect(refused.status == 429)
                #expect(refused.text.contains("model:sandbox/echo:requests_per_day"))
            }
            let answer = try await world.complete("sandbox/story", key: key)
            #expect(answer.status == 200)
            #expect(answer["x-ratelimit-remaining"] == "1")
        }
    }

    @Test func `a limit of nought lets nothing through, and says so without asking to come back`()
        async throws
    {
        try await Self.run { world in
            let key = world.key(limits: #"{"requests_per_minute":0}"#)
            let answer = try await world.complete("sandbox/echo", key: key)
            #expect(answer.status == 403)
            #expect(answer.code == "blocked_by_limit")
            #expect(answer["retry-after"] == nil)
            #expect(answer["x-should-retry"] == "false")
        }
    }

    @Test func `a request that is refused for itself takes nothing`() async throws {
        try await Self.run { world in
            let key = world.key(limits: #"{"requests_per_day":1}"#)
            #expect(try await world.complete("no/such", key: key).status == 404)
            let bad = try await world.send(
                "POST", "/v1/chat/completions", [("Authorization", "Bearer \(key)")], body: "{")
            #expect(bad.status == 400)
            #expect(try await world.complete("sandbox/echo", key: key).status == 200)
        }
    }

    @Test func `Anthropic's clients read what is left in its words`() async throws {
        try await Self.run { world in
            let key = world.key(limits: #"{"requests_per_minute":5}"#)
            let answer = try await world.send(
                "POST", "/v1/messages", [("x-api-key", key)],
                body: #"{"model":"sandbox/echo","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#)
            #expect(answer.status == 200)
            #expect(answer["anthropic-ratelimit-requests-limit"] == "5")
            #expect(answer["anthropic-ratelimit-requests-remaining"] == "4")
            #expect(answer["anthropic-ratelimit-requests-reset"]?.hasSuffix("Z") == true)
            #expect(answer["x-ratelimit-limit-requests"] == nil)
        }
    }

    @Test func `embeddings, images and counting count too`() async throws {
        try await Self.run { world in
            let key = world.key(limits: #"{"requests_per_day":3}"#)
            let fields = [(name: "Authorization", value: "Bearer \(key)")]
            let vectors = try await world.send(
                "POST", "/v1/embeddings", fields, body: #"{"model":"sandbox/embed","input":"hi"}"#)
            #expect(vectors["x-ratelimit-remaining"] == "2")
            let image = try await world.send(
                "POST", "/v1/images/generations", fields, body: #"{"model":"sandbox/image","prompt":"hi"}"#)
            #expect(image["x-ratelimit-remaining"] == "1")
            let count = try await world.send(
                "POST", "/v1/messages/count_tokens", fields,
                body: #"{"model":"sandbox/echo","messages":[{"role":"user","content":"hi"}]}"#)
            #expect(count["x-ratelimit-remaining"] == "0")
            #expect(try await world.complete("sandbox/echo", key: key).status == 429)
        }
    }

    @Test func `a Redis that has forgotten its functions is told them again`() async throws {
        try await Self.run { world in
            let key = world.key(limits: #"{"requests_per_day":1}"#)
            #expect(try await world.complete("sandbox/echo", key: key).status == 200)
            #expect(try await world.complete("sandbox/echo", key: key).status == 429)
            try await world.flushRedis()
            #expect(try await world.complete("sandbox/echo", key: key).status == 200)
            #expect(try await world.complete("sandbox/echo", key: key).status == 429)
        }
    }

    @Test func `without Redis limits hold, and the answer says so`() async throws {
        try await GatewayWorld.run { world in
            let key = world.key(limits: #"{"requests_per_day":2}"#)
            for _ in 0..<2 {
                let answer = try await world.complete("sandbox/echo", key: key)
                #expect(answer.status == 200)
                #expect(answer["x-hivegate-degraded"] == "redis")
            }
            let refused = try await world.complete("sandbox/echo", key: key)
            #expect(refused.status == 429)
            #expect(refused["x-hivegate-degraded"] == "redis")
        }
    }

    // MARK: Tokens

    @Test func `what an answer did not take of what was reserved for it is there for the next`() async throws
    {
        try await Self.run { world in
            let key = world.key(limits: #"{"tokens_per_day":2000}"#)
            for _ in 0..<3 {
                // Each reserves nearly all: 400 for what is around a request, and what it asks for.
                let answer = try await world.complete("sandbox/echo", key: key, #","max_tokens":1400"#)
                #expect(answer.status == 200, "\(answer.text)")
                #expect(answer["x-ratelimit-limit-tokens"] == "2000")
                #expect(answer["x-hivegate-max-tokens"] == nil)
            }
            let last = try await world.complete("sandbox/echo", key: key, #","max_tokens":1"#)
            let left = last["x-ratelimit-remaining-tokens"].flatMap(Int.init) ?? 0
            #expect((1400..<1600).contains(left), "\(left)")
        }
    }

    @Test func `who does not say how much to answer is limited to a part of what is left, and told`()
        async throws
    {
        try await Self.run { world in
            let key = world.key(limits: #"{"tokens_per_day":4000}"#)
            let answer = try await world.complete("sandbox/story", key: key)
            #expect(answer.status == 200)
            let most = answer["x-hivegate-max-tokens"].flatMap(Int.init) ?? 0
            #expect((256...1000).contains(most), "\(most)")
        }
    }

    @Test func `a request that can never fit is told so, and not to come back`() async throws {
        try await Self.run { world in
            let key = world.key(limits: #"{"tokens_per_minute":1000}"#)
            let answer = try await world.complete("sandbox/echo", key: key, #","max_tokens":5000"#)
            #expect(answer.status == 400)
            #expect(answer.code == "request_exceeds_quota")
            #expect(answer["retry-after"] == nil)
            #expect(answer["x-should-retry"] == "false")
            #expect(try await world.complete("sandbox/echo", key: key, #","max_tokens":5"#).status == 200)
        }
    }

    @Test func `requests under way at once are limited, and one that has ended makes room`() async throws {
        try await Self.run { world in
            let key = world.key(limits: #"{"concurrent_requests":1}"#)
            async let slow = world.complete("sandbox/slow", key: key)
            try await world.loop.sleep(for: .milliseconds(100))
            let refused = try await world.complete("sandbox/echo", key: key)
            #expect(refused.status == 429)
            #expect(refused.text.contains("1 requests under way at once"))
            #expect(refused["retry-after"] == "1")
            #expect(try await slow.status == 200)
            #expect(try await world.complete("sandbox/echo", key: key).status == 200)
        }
    }
}
