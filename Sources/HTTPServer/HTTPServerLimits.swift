package import HTTPWire

/// Every bound of the server, by name.
package struct HTTPServerLimits: Sendable {
    /// Request line and fields: 8 KB, 16 KB, 100.
    package var head = RequestHeadLimits()
    /// From a request's first byte to the end of its head, however it drips; then 408.
    package var headDeadline = Duration.seconds(10)
    /// How long a connection may wait for its next request.
    package var idleDeadline = Duration.seconds(75)

    /// A request's body, unless its route says otherwise; then 413.
    package var bodyBytes = 16 * 1024 * 1024
    /// A body must have come at `bodyBytesPerSecond` once this time has passed; then 408.
    package var bodyGrace = Duration.seconds(10)
    package var bodyBytesPerSecond = 1024

    /// Written and not yet sent on a connection: above this, writers wait.
    package var unsentHighWater = 256 * 1024
    /// Waiting writers go on when no more than this is unsent.
    package var unsentLowWater = 128 * 1024
    /// A client that takes nothing of what it was sent for this long is dropped.
    package var writeStall = Duration.seconds(30)

    /// After a refusal, what the client still sends is thrown away for this long, so that it can read the
    /// answer.
    package var lingerDeadline = Duration.seconds(2)
    package var lingerBytes = 4 * 1024 * 1024

    /// Connections of one loop; more are told to come back.
    package var connectionsPerLoop = 20_000
    /// Connections of one address over all loops. An address of `exemptAddresses` (a load balancer) has no
    /// cap.
    package var connectionsPerAddress = 1024
    /// Requests of one connection that are answered before others get their turn.
    package var pipelineBurst = 64

    /// How long requests in flight may go on when the server drains.
    package var drainDeadline = Duration.seconds(120)
    /// How long cancelled requests have to unwind before their connections are reset.
    package var drainGrace = Duration.seconds(2)

    /// One message of a WebSocket, of all its fragments; then 1009.
    package var webSocketMessageBytes = 1024 * 1024
    /// A ping goes out this often; a client that was silent for two of them is dropped.
    package var webSocketPing = Duration.seconds(30)

    package init() {}
}
