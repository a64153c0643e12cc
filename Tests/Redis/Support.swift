import Base
import Glibc
import Loop
import TestKit
import Testing

@testable import Redis

/// So long that only a hang reaches it.
let patience = Duration.seconds(20)

/// Options for tests that are not about time.
var patientOptions: RedisOptions {
    var options = RedisOptions()
    options.timeout = patience
    options.connectTimeout = .seconds(10)
    options.maximumBackoff = .milliseconds(50)
    return options
}

/// A client that is ready, closed afterwards.
func withClient<Result>(
    _ url: String, _ options: RedisOptions = patientOptions, on loop: EventLoop,
    _ body: (RedisClient) async throws -> Result
) async throws -> Result {
    let client = RedisClient(try RedisURL(url), options: options, on: loop)
    defer { client.close() }
    do throws(RedisError) {
        _ = try await client.send(RedisCommand("PING"), timeout: patience, waitsForConnection: true)
    } catch {
        Issue.record("no connection: \(error) \(error.detail)")
        throw error
    }
    return try await body(client)
}

/// A private Redis and a client that is ready.
func withRedis(
    _ arguments: [String] = [], _ options: RedisOptions = patientOptions,
    _ body: sending @escaping (PrivateRedis, RedisClient) async throws -> Void
) async throws {
    try await onLoop { loop in
        try await PrivateRedis.with(arguments, on: loop) { redis in
            try await withClient(redis.url, options, on: loop) { try await body(redis, $0) }
        }
    }
}

/// Waits until something is so; throws when it never is.
func eventually(_ loop: EventLoop, _ condition: () async throws -> Bool) async throws {
    for _ in 0..<4000 {
        if try await condition() { return }
        try await loop.sleep(for: .milliseconds(5))
    }
    throw NeverSo()
}

struct NeverSo: Error {}

/// The error of `body`; nil when it succeeds.
func failure(_ body: () async throws(RedisError) -> Void) async -> RedisError? {
    do throws(RedisError) {
        try await body()
        return nil
    } catch {
        return error
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// How many bytes a client without a password says before anything else.
let handshakeSize: Int = {
    var output: [UInt8] = []
    for command in Handshake(RedisURL(target: .path("/")), name: RedisOptions().name).commands {
        command.encode(to: &output)
    }
    return output.count
}()
