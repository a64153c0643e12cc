import Base
package import Loop
package import Metering
package import Redis

/// Tells other processes who watches, and which calls came into the books of those who are watched. As long as nobody watches
/// nothing is sent.
///
/// | channel | message |
/// |---|---|
/// | `hivegate:live:watched` | the organization |
/// | `hivegate:live:booked` | the organization, and behind it the calls; 16 bytes each |
// Confined to its loop.
package final class LiveCallChannel: @unchecked Sendable {
    private static let watched = "hivegate:live:watched"
    private static let booked = "hivegate:live:booked"
    /// Well before the lease is over.
    private static let pause = Duration.seconds(10)
    /// Calls in a message.
    private static let mostCalls = 500
    private static let size = 16

    private let calls: LiveCalls
    private let redis: RedisClient
    private let loop: EventLoop
    private var subscription: RedisSubscription?
    private var task: Task<Void, Never>?

    /// On the loop of `redis`; `close` it in the end.
    package init(_ url: RedisURL, _ calls: LiveCalls, _ redis: RedisClient, on loop: EventLoop) {
        self.calls = calls
        self.redis = redis
        self.loop = loop
        subscription = RedisSubscription(url, channels: [Self.watched, Self.booked], on: loop) {
            [weak self] in
            self?.heard($0)
        }
        calls.connect { [weak self] organization in
            guard let self else { return }
            loop.execute { self.tell(of: [organization]) }
        }
        task = loop.spawn { [weak self] in
            while !Task.isCancelled {
                do { try await loop.sleep(for: Self.pause) } catch { return }
                guard let self else { return }
                tell(of: calls.organizations)
            }
        }
    }

    package var isReady: Bool { subscription?.isReady ?? false }

    package func close() {
        task?.cancel()
        calls.connect(nil)
        subscription?.close()
        subscription = nil
    }

    private func tell(of organizations: [UUID]) {
        publish(organizations.map { (Self.watched, $0.bytes.map { $0 }) })
    }

    /// What came into the books.
    package func booked(_ entries: [JournalEntry]) {
        let watched = calls.watched(among: entries.lazy.map(\.organization), at: .now())
        if watched.isEmpty { return }
        var messages: [(String, [UInt8])] = []
        for (organization, entries) in Dictionary(grouping: entries, by: \.organization)
        where watched.contains(organization) {
            for start in stride(from: 0, to: entries.count, by: Self.mostCalls) {
                let piece = entries[start..<min(entries.count, start + Self.mostCalls)]
                messages.append((Self.booked, ([organization] + piece.map(\.id)).flatMap { Array($0.bytes) }))
            }
        }
        publish(messages)
    }

    private func publish(_ messages: [(channel: String, payload: [UInt8])]) {
        if messages.isEmpty { return }
        redis.pipeline(
            messages.map { channel, payload in
                var command = RedisCommand("PUBLISH")
                command.add(channel)
                command.add(payload)
                return command
            }
        ) { _ in }
    }

    private func heard(_ event: RedisSubscription.Event) {
        switch event {
        case .subscribed: tell(of: calls.organizations)
        case .interrupted: break
        case .resubscribed:
            calls.interrupted()
            tell(of: calls.organizations)
        case .message(let channel, let payload):
            let names = stride(from: 0, to: payload.count - Self.size + 1, by: Self.size).compactMap {
                UUID(bytes: payload[$0..<$0 + Self.size])
            }
            guard let organization = names.first else { return }
            if channel == Self.watched {
                calls.heard(ofWatcherOf: organization, at: .now())
            } else {
                calls.heard(of: Array(names.dropFirst()), of: organization)
            }
        }
    }
}
