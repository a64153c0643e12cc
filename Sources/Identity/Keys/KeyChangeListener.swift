package import Base
package import Loop
package import Redis

/// Stops believing what the process knows of keys as soon as another says that it has changed them. Only for speed, and for the
/// time that Redis cannot be asked: every request compares generations anyway.
// Confined to its loop.
package final class KeyChangeListener: @unchecked Sendable {
    /// Changes are collected for so long: each pass looks at all that is known.
    private static let collecting = Duration.milliseconds(20)
    /// More organizations at once are left to be found out by their generations.
    private static let largestPass = 10_000

    private let loop: EventLoop
    private let memory: KeyMemory
    private let time: TimeSource
    private var subscription: RedisSubscription?
    private var changed: [UUID: Int64] = [:]
    private var isCollecting = false

    package init(
        _ url: RedisURL, _ shared: SharedKeys, options: RedisOptions = RedisOptions(),
        time: TimeSource = .live,
        on loop: EventLoop
    ) {
        self.loop = loop
        memory = shared.memory
        self.time = time
        subscription = RedisSubscription(
            url, channels: [KeyGenerations.channel], options: options, on: loop
        ) { [weak self] in self?.heard($0) }
    }

    package var isReady: Bool { subscription?.isReady ?? false }

    package func close() {
        subscription?.close()
        subscription = nil
    }

    private func heard(_ event: RedisSubscription.Event) {
        switch event {
        case .subscribed, .interrupted: break
        case .resubscribed: memory.distrust(at: time.instant())
        case .message(_, let payload):
            let words = payload.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
            guard words.count == 2, let organization = UUID(words[0]), let generation = Int64(words[1]),
                changed.count < Self.largestPass
            else { return }
            changed[organization] = max(generation, changed[organization] ?? .min)
            collect()
        }
    }

    private func collect() {
        guard !isCollecting else { return }
        isCollecting = true
        loop.spawn { [self] in
            _ = try? await loop.sleep(for: Self.collecting)
            isCollecting = false
            let changes = changed
            changed = [:]
            await memory.overtake(changes)
        }
    }
}
