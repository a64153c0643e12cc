package import HTTPWire

/// What is to be said of an exchange when it has ended.
package struct ExchangeRecord: Sendable {
    /// The exchange; `nil` where no head could be read.
    package var exchange: Exchange?
    /// The status that was sent; 0 where none was.
    package var status: Int
    package var bytesIn: Int
    package var bytesOut: Int
    package var duration: Duration
    /// Whether the answer did not reach its end.
    package var aborted: Bool

    package var method: HTTPMethod? { exchange?.request.method }
    /// The name of the route; `nil` where none was found.
    package var route: String? { exchange?.route?.name }
}
