/// The bounds of one client.
package struct RedisOptions: Sendable {
    /// How long a call waits for its replies unless it says otherwise.
    package var timeout = Duration.milliseconds(50)
    /// From the start of a connection attempt to the answers of the handshake, looking up the name included.
    package var connectTimeout = Duration.milliseconds(500)
    /// The pause before a new attempt is random, between nothing and a bound that doubles from the first of these to
    /// the second: Redis is found again within a second of its return.
    package var minimumBackoff = Duration.milliseconds(10)
    package var maximumBackoff = Duration.milliseconds(400)
    /// A connection that has lived this long was a good one: the next failure starts at the shortest pause again.
    package var stableAfter = Duration.seconds(1)
    /// Commands sent and not answered.
    package var maximumInFlight = 4096
    /// Calls that wait for a connection.
    package var maximumWaiting = 1024
    /// Bytes not yet taken by the kernel.
    package var maximumUnsentBytes = 16 * 1024 * 1024
    /// Bytes of one reply.
    package var maximumReplyBytes = 64 * 1024 * 1024
    /// A subscription that hears nothing for this long asks, and gives the connection up after as long again.
    package var pingInterval = Duration.seconds(1)
    /// Shown by `CLIENT LIST`. Letters, digits, `.`, `_` and `-`.
    package var name = "hivegate"

    package init() {}
}
