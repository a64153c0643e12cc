import Base
import Glibc
import Loop
import Redis
import TestKit
import Testing

@testable import Admission

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

/// A private Redis and a client that is ready.
func withRedis(
    _ options: RedisOptions = patientOptions,
    _ body: sending @escaping (PrivateRedis, RedisClient) async throws -> Void
) async throws {
    try await onLoop { loop in
        try await PrivateRedis.with(on: loop) { redis in
            let client = RedisClient(try RedisURL(redis.url), options: options, on: loop)
            defer { client.close() }
            _ = try await client.send(RedisCommand("PING"), timeout: patience, waitsForConnection: true)
            try await body(redis, client)
        }
    }
}

/// Where random tests begin: at `SEED`, or anywhere.
func seed() -> UInt64 { setting("SEED") ?? .random(in: 0...UInt64(UInt32.max)) }

func setting(_ name: String) -> UInt64? {
    getenv(name).flatMap { UInt64(String(cString: $0)) }
}
