package import Base

/// How a pool is, for metrics and `readyz`.
package struct PoolHealth: Sendable, Equatable {
    package var open = 0
    package var leased = 0
    package var idle = 0
    package var opening = 0
    package var waiting = 0
    /// Attempts to connect that failed, since the start.
    package var failures = 0
    package var isUp = true
    /// Since when it has been up or down.
    package var since = Instant(nanoseconds: 0)
    package var leases = 0
    package var refusals = 0
}
