import Base
package import Loop

/// Listens to channels on a connection of its own, and says when it may have missed something.
// Confined to its loop.
package final class RedisSubscription: @unchecked Sendable {
    private let loop: EventLoop
    private let link: RedisLink
    private let channels: [String]
    /// Given up when the subscription is closed: it may well hold the subscription.
    private var handler: ((Event) -> Void)?
    private var unconfirmed: Set<[UInt8]> = []
    private var hasSubscribed = false
    private var isListening = false
    private var lastHeard = Instant(nanoseconds: 0)
    private var isAsking = false
    private var timer: TimerToken?

    package enum Event: Equatable, Sendable {
        /// From now on messages come.
        case subscribed
        /// Messages come again after an interruption; those sent in between are lost. Clear what depends on them.
        case resubscribed
        /// The connection is lost; another one is being made.
        case interrupted
        case message(channel: String, payload: [UInt8])
    }

    /// Subscribes to `channels`. `handler` runs on the loop and must not take long. `close` it in the end.
    package init(
        _ url: RedisURL, channels: [String], options: RedisOptions = RedisOptions(), on loop: EventLoop,
        handler: @escaping (Event) -> Void
    ) {
        precondition(!channels.isEmpty, "a subscription to nothing")
        self.loop = loop
        self.channels = channels
        self.handler = handler
        link = RedisLink(url, options, on: loop)
        link.start(self)
    }

    /// Whether all channels are being listened to.
    package var isReady: Bool { isListening }

    package var health: RedisHealth {
        var health = RedisHealth()
        health.state = link.isClosed ? .closed : isReady ? .ready : .connecting
        health.reconnectCount = link.reconnectCount
        health.failureCount = link.failureCount
        health.lastFailure = link.lastFailure
        health.writeCount = link.writeCount
        return health
    }

    package func close() {
        link.close()
        stopTimer()
        handler = nil
    }

    // MARK: Liveness

    /// A subscription can be silent for hours; so it asks, and notices a peer that is gone without a word.
    private func setTimer() {
        stopTimer()
        timer = loop.schedule(at: .now() + link.options.pingInterval) { [self] in
            timer = nil
            let isSilent = loop.now - lastHeard >= link.options.pingInterval
            if isSilent, isAsking || !unconfirmed.isEmpty { return link.discard("Redis is silent") }
            if isSilent {
                isAsking = true
                let ping = RedisCommand("PING")
                link.wire?.append { ping.encode(to: &$0) }
            }
            setTimer()
        }
    }

    private func stopTimer() {
        if let timer { loop.cancel(timer) }
        timer = nil
    }
}

extension RedisSubscription: RedisLinkOwner {
    func linkOpened() {
        unconfirmed = Set(channels.map { Array($0.utf8) })
        isAsking = false
        lastHeard = .now()
        var command = RedisCommand("SUBSCRIBE")
        for channel in channels { command.add(channel) }
        link.wire?.append { command.encode(to: &$0) }
        setTimer()
    }

    func linkReceived(_ value: RedisValue) {
        lastHeard = loop.now
        isAsking = false
        guard case .array(let parts) = value, let kind = parts.first?.bytes else {
            // Only a refusal comes as anything else: no permission for a channel, or a server that is not ready.
            return link.discard("SUBSCRIBE: \(value.error?.message.prefix(200) ?? "an unexpected reply")")
        }
        if kind.elementsEqual("message".utf8), parts.count == 3, let channel = parts[1].string,
            let payload = parts[2].bytes
        {
            handler?(.message(channel: channel, payload: payload))
        } else if kind.elementsEqual("subscribe".utf8), parts.count == 3, let channel = parts[1].bytes {
            confirm(channel)
        }
        // What is left is the answer to a ping.
    }

    func linkReceivedPart() {}

    private func confirm(_ channel: [UInt8]) {
        guard unconfirmed.remove(channel) != nil, unconfirmed.isEmpty else { return }
        let event: Event = hasSubscribed ? .resubscribed : .subscribed
        hasSubscribed = true
        isListening = true
        handler?(event)
    }

    func linkLost(_ why: String, _ wire: RedisWire?) {
        stopTimer()
        // A connection that never got as far as listening interrupts nothing.
        if isListening { handler?(.interrupted) }
        isListening = false
    }
}
