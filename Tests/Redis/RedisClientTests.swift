import Base
import Glibc
import Loop
import TestKit
import Testing

@testable import Redis

struct RedisClientTests {
    @Test func `values of every kind come back as they are`() async throws {
        try await withRedis { _, client in
            let binary = (0...255).map { UInt8($0) }
            let values = try await client.pipeline([
                RedisCommand("SET", "k", .bytes(binary)), RedisCommand("GET", "k"),
                RedisCommand("GET", "absent"),
                RedisCommand("INCRBY", "n", -5), RedisCommand("LRANGE", "absent", 0, -1),
                RedisCommand("NOSUCH"),
                RedisCommand(
                    "EVAL", "return {1,'a',{2,{}},false,redis.status_reply('S'),redis.error_reply('X y')}", 0),
                RedisCommand("SET", "empty", ""), RedisCommand("GET", "empty"),
                RedisCommand("LPUSH", "k", "x"),
            ])
            #expect(values[0] == .status("OK"))
            #expect(values[1] == .bytes(binary))
            #expect(values[2] == .null && values[3] == .integer(-5) && values[4] == .array([]))
            #expect(values[5].error?.kind == .other)
            #expect(
                values[6]
                    == .array([
                        .integer(1), .bytes(bytes("a")), .array([.integer(2), .array([])]), .null,
                        .status("S"),
                        .error(RedisServerError("X y")),
                    ]))
            #expect(values[8] == .bytes([]))
            #expect(values[9].error?.kind == .wrongType)
            let error = await failure { () throws(RedisError) in
                _ = try await client.send(RedisCommand("LPUSH", "k", "x"))
            }
            #expect(error?.serverError?.kind == .wrongType)
        }
    }

    @Test func `large values pass in both directions`() async throws {
        try await withRedis { _, client in
            let large = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let values = try await client.pipeline([
                RedisCommand("SET", "k", .bytes(large)), RedisCommand("GET", "k"),
            ])
            #expect(values == [.status("OK"), .bytes(large)])
        }
    }

    @Test func `who asks without waiting is called with the values, or at once with why there will be none`()
        async throws
    {
        try await withRedis { _, client in
            let result = await withUnsafeContinuation { continuation in
                client.pipeline([RedisCommand("INCR", "n"), RedisCommand("LPUSH", "n", "x")]) {
                    continuation.resume(returning: $0)
                }
            }
            let values = try result.get()
            #expect(values[0] == .integer(1) && values[1].error?.kind == .wrongType)

            client.close()
            var refusal: RedisError?
            client.pipeline([RedisCommand("INCR", "n")]) { result in
                if case .failure(let error) = result { refusal = error }
            }
            #expect(refusal?.reason == .closed)
        }
    }

    @Test func `the commands of one tick leave in one write`() async throws {
        try await withRedis { _, client in
            let before = client.health.writeCount
            await withTaskGroup(of: Void.self) { group in
                for index in 0..<50 {
                    group.addTask(executorPreference: client.loop) {
                        let values = try? await client.pipeline([
                            RedisCommand("SET", .text("k\(index)"), .integer(index)),
                            RedisCommand("GET", .text("k\(index)")),
                        ])
                        #expect(values?.last == .bytes(bytes("\(index)")))
                    }
                }
            }
            #expect(client.health.writeCount - before == 1)
            #expect(client.health.inFlightCount == 0)
        }
    }

    @Test func `without a connection a call fails at once or waits until its deadline`() async throws {
        try await onLoop { loop in
            let client = RedisClient(try RedisURL("unix:///nonexistent/redis.sock"), on: loop)
            defer { client.close() }
            let atOnce = await failure { () throws(RedisError) in
                _ = try await client.send(RedisCommand("PING"))
            }
            #expect(atOnce?.reason == .unavailable && atOnce?.mayHaveExecuted == false)
            let later = await failure { () throws(RedisError) in
                _ = try await client.send(
                    RedisCommand("PING"), timeout: .milliseconds(60), waitsForConnection: true)
            }
            #expect(later?.reason == .timedOut && later?.mayHaveExecuted == false)
            #expect(client.health.state == .connecting && client.health.failureCount > 0)
            #expect(client.health.lastFailure?.isEmpty == false)
        }
    }

    @Test func `a name that does not exist and a port where nobody listens are failures with a reason`()
        async throws
    {
        try await onLoop { loop in
            for (url, expected) in [
                ("redis://no-such-host.invalid", "cannot find"), ("redis://127.0.0.1:1", "refused"),
                ("redis://[::1]:1", ""),
            ] {
                let client = RedisClient(try RedisURL(url), on: loop)
                try await eventually(loop) { client.health.failureCount > 0 }
                #expect(client.health.lastFailure?.contains(expected) == true || expected.isEmpty)
                client.close()
            }
        }
    }

    @Test func `a host name is looked up and connected to`() async throws {
        try await onLoop { loop in
            let upstream = try ScriptedUpstream(on: loop) { peer in _ = try await peer.read(1000) }
            defer { upstream.close() }
            let client = RedisClient(
                try RedisURL("redis://localhost:\(upstream.port)"), options: patientOptions, on: loop)
            defer { client.close() }
            try await eventually(loop) { upstream.connectionCount > 0 }
        }
    }

    @Test func `more commands than the bound are refused, and those before it are answered`() async throws {
        var options = patientOptions
        options.maximumInFlight = 10
        try await withRedis([], options) { _, client in
            async let first = client.pipeline([RedisCommand](repeating: RedisCommand("PING"), count: 10))
            let second = await failure { () throws(RedisError) in
                _ = try await client.pipeline([RedisCommand](repeating: RedisCommand("PING"), count: 11))
            }
            #expect(second?.reason == .overloaded && second?.mayHaveExecuted == false)
            let count = try await first.count
            #expect(count == 10)
        }
    }

    @Test func `a cancelled call returns at once, and its late reply confuses nobody`() async throws {
        try await withRedis { redis, client in
            redis.send(signal: SIGSTOP)
            let task = Task(executorPreference: client.loop) { () async -> RedisError? in
                await failure { () throws(RedisError) in _ = try await client.send(RedisCommand("INCR", "n"))
                }
            }
            try await eventually(client.loop) { client.health.inFlightCount == 1 }
            try await client.loop.sleep(for: .milliseconds(20))
            task.cancel()
            let error = await task.value
            #expect(error?.reason == .cancelled && error?.mayHaveExecuted == true)
            redis.send(signal: SIGCONT)
            #expect(try await client.send(RedisCommand("GET", "n")) == .bytes(bytes("1")))
            #expect(client.health.inFlightCount == 0 && client.health.reconnectCount == 0)

            let cancelled = Task(executorPreference: client.loop) { () async -> RedisError? in
                withUnsafeCurrentTask { $0?.cancel() }
                return await failure { () throws(RedisError) in
                    _ = try await client.send(RedisCommand("INCR", "n"))
                }
            }
            let early = await cancelled.value
            #expect(early?.reason == .cancelled && early?.mayHaveExecuted == false)
            #expect(try await client.send(RedisCommand("GET", "n")) == .bytes(bytes("1")))
        }
    }

    @Test func `a call that waits for a connection can be cancelled`() async throws {
        try await onLoop { loop in
            let client = RedisClient(try RedisURL("unix:///nonexistent/redis.sock"), on: loop)
            defer { client.close() }
            let task = Task(executorPreference: loop) { () async -> RedisError? in
                await failure { () throws(RedisError) in
                    _ = try await client.send(
                        RedisCommand("PING"), timeout: patience, waitsForConnection: true)
                }
            }
            try await eventually(loop) { client.health.waitingCount == 1 }
            task.cancel()
            #expect(await task.value?.reason == .cancelled)
            #expect(client.health.waitingCount == 0)
        }
    }

    @Test func `after a timeout the connection is replaced and old replies reach nobody`() async throws {
        try await withRedis { redis, client in
            redis.send(signal: SIGSTOP)
            async let bystander = failure { () throws(RedisError) in
                _ = try await client.send(RedisCommand("GET", "x"))
            }
            let late = await failure { () throws(RedisError) in
                _ = try await client.send(RedisCommand("SET", "k", "1"), timeout: .milliseconds(50))
            }
            #expect(late?.reason == .timedOut && late?.mayHaveExecuted == true)
            #expect(await bystander?.reason == .connectionLost)
            #expect(client.health.timeoutCount == 1)
            redis.send(signal: SIGCONT)
            let value = try await client.send(RedisCommand("ECHO", "mine"), waitsForConnection: true)
            #expect(value == .bytes(bytes("mine")))
            #expect(client.health.reconnectCount == 1)
        }
    }

    @Test func `calls with deadlines far and near each keep their own`() async throws {
        try await withRedis { redis, client in
            // BLPOP answers nil after its own time, which lies beyond the first call's deadline of nobody.
            async let blocked = client.send(RedisCommand("BLPOP", "empty", .text("0.2")), timeout: patience)
            let quick = try await client.send(RedisCommand("PING"), timeout: patience)
            #expect(quick == .status("PONG"))
            #expect(try await blocked == .null)
            #expect(client.health.timeoutCount == 0)
        }
    }

    @Test func `closing waits for the replies that are due`() async throws {
        try await withRedis { redis, client in
            async let value = client.send(RedisCommand("BLPOP", "empty", .text("0.1")))
            try await eventually(client.loop) { client.health.inFlightCount == 1 }
            await client.close(drainingUntil: .now() + patience)
            #expect(try await value == .null)
            let after = await failure { () throws(RedisError) in
                _ = try await client.send(RedisCommand("PING"))
            }
            #expect(after?.reason == .closed)
            #expect(client.health.state == .closed)
        }
    }

    @Test func `closing at once fails what waits`() async throws {
        try await withRedis { redis, client in
            async let error = failure { () throws(RedisError) in
                _ = try await client.send(RedisCommand("BLPOP", "empty", 0))
            }
            try await eventually(client.loop) { client.health.inFlightCount == 1 }
            try await client.loop.sleep(for: .milliseconds(5))
            client.close()
            #expect(await error?.reason == .closed)
            #expect(await error?.mayHaveExecuted == true)
        }
    }
}

struct RedisLoginTests {
    /// Arguments for a server with a user beside the default one.
    private func users(_ user: String) -> [String] {
        ["--user"] + user.split(separator: " ").map(String.init)
    }

    @Test func `users log in with their passwords and land in their database`() async throws {
        try await withRedis(users("app on >s3:cret ~* &* +@all")) { redis, _ in
            let url = "unix://app:s3%3Acret@\(redis.socket)?db=5"
            let loop = redis.loop
            try await withClient(url, on: loop) { client in
                #expect(try await client.send(RedisCommand("ACL", "WHOAMI")) == .bytes(bytes("app")))
                let info = try await client.send(RedisCommand("CLIENT", "INFO")).string ?? ""
                #expect(info.contains(" db=5 ") && info.contains("name=hivegate"))
            }
        }
    }

    @Test func `a wrong password is named and never shown`() async throws {
        try await withRedis(users("app on >right ~* &* +@all")) { redis, _ in
            let loop = redis.loop
            let client = RedisClient(try RedisURL("unix://app:wrongone@\(redis.socket)"), on: loop)
            defer { client.close() }
            try await eventually(loop) { client.health.failureCount > 1 }
            #expect(client.health.lastFailure?.hasPrefix("login: WRONGPASS") == true)
            #expect(client.health.lastFailure?.contains("wrongone") == false)
            #expect(!client.isReady)
        }
    }

    @Test func `a user with few rights still connects`() async throws {
        try await withRedis(users("few on >pw ~a* +get")) { redis, _ in
            let loop = redis.loop
            let client = RedisClient(
                try RedisURL("unix://few:pw@\(redis.socket)"), options: patientOptions, on: loop)
            defer { client.close() }
            #expect(try await client.send(RedisCommand("GET", "a"), waitsForConnection: true) == .null)
            let refused = await failure { () throws(RedisError) in
                _ = try await client.send(RedisCommand("SET", "a", "1"))
            }
            #expect(refused?.serverError?.kind == .noPermission)
        }
    }
}
