/// The bounds of a pool.
package struct PoolLimits: Sendable, Equatable {
    /// Connections kept open even when nobody needs them.
    package var minimum = 0
    /// Connections at once, opening ones included.
    package var maximum = 4
    /// Tasks that may wait for a connection; one more is refused.
    package var maximumWaiting = 256
    /// How long a task waits for a connection.
    package var waitTimeout = Duration.seconds(5)
    /// An unused connection above the minimum is closed after this.
    package var idleTimeout = Duration.seconds(60)
    /// A connection is replaced after this, give or take a tenth, so that they do not all go at once.
    package var maximumLifetime = Duration.seconds(1800)
    /// An idle connection is asked for a sign of life this often.
    package var checkInterval = Duration.seconds(30)
    /// The pause before the first new attempt when the database cannot be reached; it doubles …
    package var firstProbePause = Duration.milliseconds(50)
    /// … up to this.
    package var longestProbePause = Duration.seconds(1)

    package init() {}
}
