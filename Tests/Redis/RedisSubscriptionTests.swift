import Base
import Glibc
import Loop
import TestKit
import Testing

@testable import Redis

struct RedisSubscriptionTests {
    // Confined to the loop of its test.
    private final class Recorder: @unchecked Sendable {
        var events: [RedisSubscription.Event] = []
        var messages: [String] {
            events.compactMap { event in
                guard case .message(let channel, let payload) = event else { return nil }
                return "\(channel):\(String(decoding: payload, as: UTF8.self))"
            }
        }
    }

    private func withSubscription(
        _ channels: [String], _ options: RedisOptions = patientOptions,
        _ body:
            sending @escaping (PrivateRedis, RedisClient, RedisSubscription, Recorder) async throws -> Void
    ) async throws {
        try await withRedis { redis, client in
            let recorder = Recorder()
            let subscription = RedisSubscription(
                try RedisURL(redis.url), channels: channels, options: options, on: client.loop
            ) { recorder.events.append($0) }
            defer { subscription.close() }
            try await eventually(client.loop) { recorder.events == [.subscribed] }
            #expect(subscription.isReady)
            try await body(redis, client, subscription, recorder)
        }
    }

    @Test func `messages of all channels come in order, whatever bytes they hold`() async throws {
        try await withSubscription(["a", "b"]) { _, client, _, recorder in
            for index in 0..<50 {
                _ = try await client.send(
                    RedisCommand("PUBLISH", index % 2 == 0 ? "a" : "b", .integer(index)))
            }
            _ = try await client.send(RedisCommand("PUBLISH", "c", "not for us"))
            _ = try await client.send(RedisCommand("PUBLISH", "a", .bytes([0, 13, 10, 255])))
            try await eventually(client.loop) { recorder.messages.count == 51 }
            #expect(recorder.messages.prefix(50) == (0..<50).map { "\($0 % 2 == 0 ? "a" : "b"):\($0)" }[...])
            #expect(recorder.events.last == .message(channel: "a", payload: [0, 13, 10, 255]))
        }
    }

    @Test func `after an interruption the consumer is told and messages come again`() async throws {
        try await withSubscription(["a", "b"]) { redis, client, subscription, recorder in
            _ = try await client.send(RedisCommand("CLIENT", "KILL", "TYPE", "pubsub"))
            try await eventually(client.loop) { recorder.events.count == 3 }
            #expect(recorder.events == [.subscribed, .interrupted, .resubscribed])
            try await redis.kill()
            try await redis.start()
            try await eventually(client.loop) { recorder.events.count == 5 }
            #expect(recorder.events[3...] == [.interrupted, .resubscribed])
            _ = try await client.send(RedisCommand("PUBLISH", "b", "again"), waitsForConnection: true)
            try await eventually(client.loop) { recorder.messages == ["b:again"] }
            #expect(subscription.health.reconnectCount == 2)
        }
    }

    @Test func `a server that falls silent is noticed`() async throws {
        var options = patientOptions
        options.pingInterval = .milliseconds(50)
        try await withSubscription(["a"], options) { redis, client, subscription, recorder in
            // Silence with a living server is no reason.
            try await client.loop.sleep(for: .milliseconds(300))
            #expect(recorder.events == [.subscribed])
            redis.send(signal: SIGSTOP)
            try await eventually(client.loop) { recorder.events.contains(.interrupted) }
            #expect(subscription.health.lastFailure == "Redis is silent")
            redis.send(signal: SIGCONT)
            try await eventually(client.loop) { recorder.events.last == .resubscribed }
        }
    }

    @Test func `a channel that is not allowed is a failure with a reason`() async throws {
        let arguments = ["--user", "few", "on", ">pw", "&ok", "+@all", "~*"]
        try await withRedis(arguments) { redis, client in
            let subscription = RedisSubscription(
                try RedisURL("unix://few:pw@\(redis.socket)"), channels: ["ok", "no"],
                options: patientOptions,
                on: client.loop
            ) { _ in Issue.record("nothing may happen") }
            defer { subscription.close() }
            try await eventually(client.loop) { subscription.health.failureCount > 1 }
            #expect(subscription.health.lastFailure?.contains("NOPERM") == true)
            #expect(!subscription.isReady)
        }
    }

    @Test func `it can be closed by its own handler`() async throws {
        try await withRedis { redis, client in
            let box = Recorder()
            var subscription: RedisSubscription?
            subscription = RedisSubscription(
                try RedisURL(redis.url), channels: ["a"], options: patientOptions, on: client.loop
            ) { event in
                box.events.append(event)
                if case .message = event { subscription?.close() }
            }
            try await eventually(client.loop) { box.events == [.subscribed] }
            _ = try await client.pipeline([
                RedisCommand("PUBLISH", "a", "1"), RedisCommand("PUBLISH", "a", "2"),
            ])
            try await eventually(client.loop) { subscription?.health.state == .closed }
            try await client.loop.sleep(for: .milliseconds(20))
            #expect(box.messages == ["a:1"])
        }
    }
}
