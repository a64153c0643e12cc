/// How a client stands, for metrics and for the page that shows the system's state.
package struct RedisHealth: Equatable, Sendable {
    package var state = State.connecting
    /// Connections that became usable after the first.
    package var reconnectCount = 0
    /// Attempts and connections that failed.
    package var failureCount = 0
    package var inFlightCount = 0
    package var waitingCount = 0
    package var commandCount = 0
    /// Writes to the socket: one a tick, however many commands.
    package var writeCount = 0
    package var timeoutCount = 0
    /// Why the last connection or attempt failed; nil before the first failure.
    package var lastFailure: String?

    package enum State: String, Sendable { case connecting, ready, closed }

    package init() {}
}
