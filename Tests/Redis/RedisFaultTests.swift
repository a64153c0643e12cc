import Base
import Glibc
import Loop
import TestKit
import Testing

@testable import Redis

struct RedisFaultTests {
    @Test func `a server that is killed under load is found again and nothing is answered wrongly`()
        async throws
    {
        try await withRedis { redis, client in
            let loop = client.loop
            let isOver = Flag()
            let workers = (0..<8).map { worker in
                Task(executorPreference: loop) { () async -> (answered: Int, failed: Int) in
                    var (answered, failed, round) = (0, 0, 0)
                    while !isOver.isSet {
                        round += 1
                        let text = "\(worker)-\(round)"
                        do throws(RedisError) {
                            let values = try await client.pipeline(
                                [RedisCommand("ECHO", .text(text)), RedisCommand("ECHO", .text(text + "!"))])
                            #expect(values == [.bytes(bytes(text)), .bytes(bytes(text + "!"))])
                            answered += 1
                        } catch {
                            #expect([.connectionLost, .unavailable].contains(error.reason))
                            failed += 1
                            try? await loop.sleep(for: .milliseconds(1))
                        }
                    }
                    return (answered, failed)
                }
            }
            for round in 1...3 {
                try await loop.sleep(for: .milliseconds(50))
                try await redis.kill()
                try await loop.sleep(for: .milliseconds(50))
                try await redis.start()
                try await eventually(loop) { client.isReady && client.health.reconnectCount >= round }
            }
            isOver.isSet = true
            for worker in workers {
                let (answered, failed) = await worker.value
                #expect(answered > 0 && failed > 0)
            }
            #expect(client.health.inFlightCount == 0)
        }
    }

    @Test func `after its return the server is used again within a second`() async throws {
        var options = RedisOptions()
        options.timeout = patience
        try await withRedis([], options) { redis, client in
            try await redis.kill()
            // Long enough for the pauses to have grown to their longest.
            try await client.loop.sleep(for: .seconds(2))
            try await redis.start()
            let value = try await client.send(
                RedisCommand("PING"), timeout: .milliseconds(1000), waitsForConnection: true)
            #expect(value == .status("PONG"))
        }
    }

    @Test func `a connection closed by the server says that commands may have been executed`() async throws {
        try await withRedis { redis, client in
            let loop = client.loop
            async let error = failure { () throws(RedisError) in
                _ = try await client.send(RedisCommand("BLPOP", "q", 0))
            }
            try await withClient(redis.url, on: loop) { other in
                try await eventually(loop) {
                    try await other.send(RedisCommand("CLIENT", "LIST")).string?.contains("cmd=blpop") == true
                }
                _ = try await other.send(RedisCommand("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
            }
            let lost = await error
            #expect(lost?.reason == .connectionLost && lost?.mayHaveExecuted == true)
        }
    }

    @Test func `a replica that refuses writes makes the client look for another server`() async throws {
        try await withRedis { redis, client in
            _ = try await client.send(RedisCommand("REPLICAOF", "127.0.0.1", "1"))
            let error = await failure { () throws(RedisError) in
                _ = try await client.send(RedisCommand("SET", "k", "1"))
            }
            #expect(error?.serverError?.kind == .readOnly)
            try await eventually(client.loop) { client.health.failureCount == 1 }
            #expect(client.health.lastFailure == "Redis answered READONLY")
            _ = try await client.send(RedisCommand("REPLICAOF", "NO", "ONE"), waitsForConnection: true)
            #expect(
                try await client.send(RedisCommand("SET", "k", "1"), waitsForConnection: true)
                    == .status("OK"))
        }
    }

    @Test func `a server that is out of memory refuses writes and keeps its connection`() async throws {
        try await withRedis(["--maxmemory", "1mb", "--maxmemory-policy", "noeviction"]) { _, client in
            let large = [UInt8](repeating: 1, count: 2_000_000)
            _ = try await client.pipeline([RedisCommand("SET", "k", .bytes(large))])
            let error = await failure { () throws(RedisError) in
                _ = try await client.send(RedisCommand("SET", "l", "1"))
            }
            #expect(error?.serverError?.kind == .outOfMemory)
            #expect(client.health.reconnectCount == 0)
        }
    }

    /// A peer that answers the handshake and then says `text`.
    private func withPeer(
        saying text: String, afterHandshake: Bool = true, _ options: RedisOptions = patientOptions,
        _ body: sending @escaping (RedisClient, ScriptedUpstream) async throws -> Void
    ) async throws {
        try await onLoop { loop in
            let upstream = try ScriptedUpstream(on: loop) { peer in
                if afterHandshake {
                    guard try await peer.read(handshakeSize) != nil else { return }
                    try await peer.write("+OK\r\n+PONG\r\n")
                }
                if !text.isEmpty { try await peer.write(text) }
                try await peer.waitForClose()
            }
            defer { upstream.close() }
            let client = RedisClient(
                try RedisURL("redis://127.0.0.1:\(upstream.port)"), options: options, on: loop)
            defer { client.close() }
            try await body(client, upstream)
        }
    }

    @Test(arguments: [
        "+OK\r\n", "-ERR max number of clients reached\r\n", ":1\r\n", "$-1\r\n", "*0\r\n",
        "*2\r\n$1\r\na\r\n:1\r\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n", "\u{0}\u{1}\u{2}", "$99999999999999999999\r\n", "*-5\r\n",
        "$-5\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", ":12x\r\n", "+OK\n+OK\n",
        "%1\r\n+a\r\n+b\r\n",
        "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n",
    ])
    func `a reply that nobody asked for, or that is none, costs the connection and nothing else`(
        _ text: String
    ) async throws {
        var options = patientOptions
        options.connectTimeout = .milliseconds(100)
        for afterHandshake in [true, false] {
            try await withPeer(saying: text, afterHandshake: afterHandshake, options) { client, upstream in
                try await eventually(client.loop) {
                    client.health.failureCount > 1 || upstream.connectionCount > 2
                }
                #expect(client.health.lastFailure != nil)
            }
        }
    }

    @Test func `a reply without end is cut off`() async throws {
        var options = patientOptions
        options.maximumReplyBytes = 100_000
        let bounded = options
        try await onLoop { loop in
            let upstream = try ScriptedUpstream(on: loop) { peer in
                guard try await peer.read(handshakeSize) != nil else { return }
                try await peer.write("+OK\r\n+PONG\r\n")
                guard try await peer.read(1) != nil else { return }
                try await peer.write("$5000000\r\n" + String(repeating: "x", count: 400_000))
                try await peer.waitForClose()
            }
            defer { upstream.close() }
            let url = try RedisURL("redis://127.0.0.1:\(upstream.port)")
            let client = RedisClient(url, options: bounded, on: loop)
            defer { client.close() }
            let error = await failure { () throws(RedisError) in
                _ = try await client.send(RedisCommand("X"), waitsForConnection: true)
            }
            #expect(error?.detail == "a reply of more than 100000 bytes")
        }
    }

    @Test func `a server that never answers the handshake is given up`() async throws {
        var options = patientOptions
        options.connectTimeout = .milliseconds(30)
        try await onLoop { loop in
            let upstream = try ScriptedUpstream(on: loop) { try await $0.waitForClose() }
            defer { upstream.close() }
            let client = RedisClient(
                try RedisURL("redis://127.0.0.1:\(upstream.port)"), options: options, on: loop)
            defer { client.close() }
            try await eventually(loop) { client.health.failureCount > 2 }
            #expect(client.health.lastFailure == "Redis did not answer the handshake in time")
        }
    }

    @Test func `replies that come byte by byte are put together`() async throws {
        try await onLoop { loop in
            let upstream = try ScriptedUpstream(on: loop) { peer in
                guard try await peer.read(handshakeSize) != nil else { return }
                for byte in bytes("+OK\r\n+PONG\r\n*2\r\n$3\r\na\r\n\r\n:-12\r\n") {
                    try await peer.write([byte])
                    try await loop.sleep(for: .microseconds(200))
                }
                try await peer.waitForClose()
            }
            defer { upstream.close() }
            let url = try RedisURL("redis://127.0.0.1:\(upstream.port)")
            let client = RedisClient(url, options: patientOptions, on: loop)
            defer { client.close() }
            let value = try await client.send(RedisCommand("X"), waitsForConnection: true)
            #expect(value == .array([.bytes(bytes("a\r\n")), .integer(-12)]))
        }
    }

    @Test func `what a reader does not take is bounded`() async throws {
        var options = patientOptions
        options.maximumUnsentBytes = 8_000_000
        try await withPeer(saying: "", options) { client, _ in
            // The peer reads on, so fill the buffer within one tick.
            try await eventually(client.loop) { client.isReady }
            let command = RedisCommand("SET", "k", .bytes([UInt8](repeating: 0, count: 3_000_000)))
            let tasks = (0..<4).map { _ in
                Task(executorPreference: client.loop) { () async -> RedisError? in
                    await failure { () throws(RedisError) in _ = try await client.send(command) }
                }
            }
            try await client.loop.sleep(for: .milliseconds(50))
            client.close()
            var reasons: [RedisError.Reason] = []
            for task in tasks { if let error = await task.value { reasons.append(error.reason) } }
            #expect(reasons.filter { $0 == .overloaded }.count == 2)
        }
    }
}

// Confined to the loop of its test.
private final class Flag: @unchecked Sendable {
    var isSet = false
}
