/// Why a command has no reply.
package struct RedisError: Error, Equatable, Sendable, CustomStringConvertible {
    package let reason: Reason
    /// Whether Redis may have carried the command out. False only when not a byte of it was handed to the kernel.
    package let mayHaveExecuted: Bool
    /// For the log.
    package let detail: String

    package enum Reason: Equatable, Sendable {
        /// There is no connection at the moment.
        case unavailable
        /// `RedisOptions.maximumInFlight` or another bound is reached.
        case overloaded
        case timedOut
        case connectionLost
        /// The calling task was cancelled.
        case cancelled
        /// The client was closed.
        case closed
        /// Redis answered with an error.
        case server(RedisServerError)
    }

    package init(_ reason: Reason, mayHaveExecuted: Bool = false, detail: String = "") {
        self.reason = reason
        self.mayHaveExecuted = mayHaveExecuted
        self.detail = detail
    }

    /// An error answer: Redis refused the command or failed in the middle of it.
    init(_ error: RedisServerError) {
        self.init(.server(error), mayHaveExecuted: true, detail: error.message)
    }

    package var serverError: RedisServerError? { if case .server(let error) = reason { error } else { nil } }

    package var description: String {
        switch reason {
        case .unavailable: "Redis is not reachable"
        case .overloaded: "too many Redis commands are waiting"
        case .timedOut: "Redis did not answer in time"
        case .connectionLost: "the connection to Redis was lost"
        case .cancelled: "the Redis command was cancelled"
        case .closed: "the Redis client is closed"
        case .server(let error): error.description
        }
    }
}
