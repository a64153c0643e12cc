import Base

/// What the health pages say, asked of whoever knows.
package struct HealthReport: Sendable {
    /// A loop that has not ticked for this long is stuck.
    package static let longestSilence = Duration.seconds(5)

    /// How long the slowest loop has not ticked.
    package var silence: @Sendable () -> Duration
    /// Why the process should get no requests now; empty when it should.
    package var obstacles: @Sendable () -> [String]

    package init(
        silence: @escaping @Sendable () -> Duration, obstacles: @escaping @Sendable () -> [String]
    ) {
        self.silence = silence
        self.obstacles = obstacles
    }
}
