package import Base
package import Chat
package import JSON

/// Looks at the events of a stream that is passed on, no closer than it has to.
package protocol StreamWatcher: Sendable {
    /// Whether the client is to get this event. Throws what the event reports.
    mutating func see(_ name: [UInt8], _ document: JSONDocument) throws(UpstreamFault) -> Bool

    /// Whether the event that says so has come: the reply is whole.
    var isWhole: Bool { get }

    /// As the provider has said it so far.
    var usage: ChatUsage? { get }

    /// What a stream without it still lacks at its end.
    var end: [UInt8] { get }

    /// The end of a stream in which something went wrong.
    func failure(_ problem: Problem, requestID: String) -> [UInt8]
}
