import Base
import Cache
import Chat
import Loop
import Redis
import TestKit
import Testing

/// So long that only a hang reaches it.
let patience = Duration.seconds(20)

/// A Redis of the test's own, with a client that is ready.
// Confined to its loop.
final class CacheWorld: @unchecked Sendable {
    let loop: EventLoop
    let redis: PrivateRedis
    let client: RedisClient
    let store: CacheStore
    let organization = UUID.make()

    private init(_ loop: EventLoop, _ redis: PrivateRedis, _ client: RedisClient, _ limits: CacheStore.Limits)
    {
        self.loop = loop
        self.redis = redis
        self.client = client
        store = CacheStore(client, limits: limits)
    }

    static func run(
        _ limits: CacheStore.Limits = patientLimits,
        _ body: sending @escaping (CacheWorld) async throws -> Void
    ) async throws {
        try await onLoop { loop in
            try await PrivateRedis.with(on: loop) { redis in
                let client = try await Self.client(redis, on: loop)
                defer { client.close() }
                try await body(CacheWorld(loop, redis, client, limits))
            }
        }
    }

    static var patientLimits: CacheStore.Limits {
        var limits = CacheStore.Limits()
        (limits.storing, limits.purging, limits.leasing, limits.reading) = (
            patience, patience, patience, patience
        )
        return limits
    }

    static func client(_ redis: PrivateRedis, on loop: EventLoop) async throws -> RedisClient {
        var options = RedisOptions()
        options.timeout = patience
        options.connectTimeout = .seconds(10)
        let client = RedisClient(try RedisURL(redis.url), options: options, on: loop)
        _ = try await client.send(RedisCommand("PING"), timeout: patience, waitsForConnection: true)
        return client
    }

    // MARK: What tests do

    /// The request that answers are made for here.
    static let origin = CachedAnswer.Origin(
        requestID: "req_1", created: Timestamp(seconds: 1_799_999_990), attempts: 2)

    func answer(_ text: String, model: String = "openai/gpt-5") -> CachedAnswer {
        CachedAnswer(
            .forwarded(.openAIChat, isStream: false, contentType: "application/json", Array(text.utf8)[...]),
            origin: Self.origin, storedAt: Timestamp(seconds: 1_800_000_000), lifetimeSeconds: 600,
            provider: "openai", model: model, upstreamModel: "gpt-5")
    }

    func key(_ number: Int) -> CacheKey {
        CacheKey(bytes: (0..<32).map { UInt8(truncatingIfNeeded: $0 < 4 ? number >> (8 * $0) : 0xA5) })
    }

    func generation(of organization: UUID? = nil) async throws -> Int64 {
        let command = CacheStore.generationCommand(of: organization ?? self.organization)
        return try #require(CacheStore.generation(try await client.send(command)))
    }

    func lookUp(_ key: CacheKey, of organization: UUID? = nil) async throws -> CacheLookup {
        let command = CacheStore.getCommand(key, of: organization ?? self.organization)
        return CacheLookup(try await client.pipeline([command])[0])
    }

    @discardableResult
    func put(
        _ text: String, _ key: CacheKey, model: String = "openai/gpt-5", of organization: UUID? = nil,
        generation: Int64? = nil
    ) async throws -> Bool {
        let organization = organization ?? self.organization
        let read = try await self.generation(of: organization)
        return try await store.store(
            answer(text, model: model).encoded(), as: key, of: organization, model: model,
            lifetimeSeconds: 600, generation: generation ?? read)
    }

    func send(_ name: StaticString, _ arguments: RedisCommand.Argument...) async throws -> RedisValue {
        var command = RedisCommand(name)
        for argument in arguments { command.add(argument) }
        return try await client.send(command)
    }

    func keys(like pattern: String = "*") async throws -> [String] {
        (try await send("KEYS", .text(pattern)).array ?? []).compactMap(\.string).sorted()
    }

    func eventually(_ condition: () async throws -> Bool) async throws {
        for _ in 0..<4000 {
            if try await condition() { return }
            try await loop.sleep(for: .milliseconds(5))
        }
        Issue.record("it never came to be so")
    }
}
