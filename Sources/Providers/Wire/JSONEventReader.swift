import HTTPWire
import JSON

/// Reads a stream of server-sent events that are JSON, as it arrives.
struct JSONEventReader: Sendable {
    /// An event larger than this is none.
    static let largestEvent = 8 * 1024 * 1024

    private var parser = SSEParser(eventLimit: largestEvent)
    /// Whether `data: [DONE]` has come. What comes behind it is not looked at.
    private(set) var isDone = false
    private static let done = Array("[DONE]".utf8)

    /// Gives each event that `bytes` complete to `body`: its name, which is empty where it has none, and its data.
    mutating func take(
        _ bytes: [UInt8], _ body: (_ name: [UInt8], JSONDocument) throws(UpstreamFault) -> Void
    ) throws(UpstreamFault) {
        var position = 0
        while !isDone {
            switch bytes.withUnsafeBytes({ parser.next($0, &position) }) {
            case .needMore: return
            case .comment, .eventWithoutData: continue
            case .tooLarge: throw .garbled("an event of more than \(Self.largestEvent) bytes")
            case .event:
                if parser.data.trimmed.elementsEqual(Self.done) {
                    isDone = true
                } else {
                    try body(parser.event, try JSONDocument(upstream: parser.data))
                }
            }
        }
    }

    /// Whether the stream broke off within an event.
    var endsWithinEvent: Bool { !isDone && parser.endsWithinEvent }
}

extension [UInt8] {
    /// Without the blanks around it.
    fileprivate var trimmed: ArraySlice<UInt8> {
        var slice = self[...]
        while let last = slice.last, last == 0x20 || last == 0x0D { slice.removeLast() }
        while slice.first == 0x20 { slice.removeFirst() }
        return slice
    }
}
