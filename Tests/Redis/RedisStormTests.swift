import Base
import Glibc
import Loop
import TestKit
import Testing

@testable import Redis

/// Many connections that end in every way. Run under AddressSanitizer:
/// `swift test --sanitize=address --filter RedisTests`.
struct RedisStormTests {
    private static let reconnects = 10_000

    private var impatient: RedisOptions {
        var options = patientOptions
        options.minimumBackoff = .nanoseconds(1)
        options.maximumBackoff = .nanoseconds(1)
        return options
    }

    @Test(.timeLimit(.minutes(5)))
    func `ten thousand connections that the server closes leave nothing behind`() async throws {
        try await withRedis([], impatient) { _, client in
            let descriptors = openDescriptors()
            var round = 0
            while client.health.reconnectCount < Self.reconnects {
                round += 1
                do throws(RedisError) {
                    // The server answers QUIT and closes; the GET behind it is lost or never sent.
                    let values = try await client.pipeline(
                        [
                            RedisCommand("ECHO", .integer(round)), RedisCommand("QUIT"),
                            RedisCommand("GET", "x"),
                        ],
                        waitsForConnection: true)
                    Issue.record("a reply behind QUIT: \(values)")
                } catch {
                    #expect(error.reason == .connectionLost && error.mayHaveExecuted)
                }
            }
            #expect(client.health.inFlightCount == 0 && client.health.waitingCount == 0)
            try await eventually(client.loop) { client.isReady }
            #expect(openDescriptors() <= descriptors + 2)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `peers that break off at any byte, reset or talk nonsense leave nothing behind`() async throws {
        let options = impatient
        try await onLoop { loop in
            let answer = bytes("+OK\r\n+PONG\r\n*3\r\n$5\r\nhello\r\n*2\r\n:1\r\n$-1\r\n-ERR x\r\n+late\r\n")
            let counter = Counter()
            let upstream = try ScriptedUpstream(on: loop) { peer in
                counter.value += 1
                let connection = counter.value
                if connection % 7 != 0 { guard try await peer.read(handshakeSize) != nil else { return } }
                try await peer.write(Array(answer.prefix(connection % (answer.count + 1))))
                if connection % 3 == 0 { peer.reset() }
            }
            defer { upstream.close() }
            let url = try RedisURL("redis://127.0.0.1:\(upstream.port)")
            let client = RedisClient(url, options: options, on: loop)
            defer { client.close() }
            let descriptors = openDescriptors()
            while client.health.failureCount < 3000 {
                do throws(RedisError) {
                    let values = try await client.pipeline(
                        [RedisCommand("X")], timeout: .milliseconds(200), waitsForConnection: true)
                    #expect(
                        values == [
                            .array([
                                .bytes(bytes("hello")), .array([.integer(1), .null]),
                                .error(RedisServerError("ERR x")),
                            ])
                        ])
                } catch {
                    #expect([.connectionLost, .timedOut].contains(error.reason))
                }
            }
            try await loop.sleep(for: .milliseconds(50))
            #expect(openDescriptors() < descriptors + 50)
        }
    }

    // Confined to the loop of its test.
    private final class Counter: @unchecked Sendable {
        var value = 0
    }
}

/// How many descriptors this process has open.
private func openDescriptors() -> Int {
    guard let folder = opendir("/proc/self/fd") else { return 0 }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    return count
}
