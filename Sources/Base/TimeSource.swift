/// Where the time comes from: the kernel's clocks, or a test's.
package struct TimeSource: Sendable {
    /// For timeouts and durations.
    package var instant: @Sendable () -> Instant
    /// For what people and databases see.
    package var timestamp: @Sendable () -> Timestamp

    package init(instant: @escaping @Sendable () -> Instant, timestamp: @escaping @Sendable () -> Timestamp) {
        self.instant = instant
        self.timestamp = timestamp
    }

    package static let live = TimeSource(instant: Instant.now, timestamp: Timestamp.now)
}
