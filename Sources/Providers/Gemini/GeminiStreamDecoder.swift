import Chat
import JSON

/// Reads a stream of answers, each of which goes on where the one before has ended. Nothing marks its end but that the
/// last says why it is the last.
struct GeminiStreamDecoder: ChatStreamDecoder {
    private var events = JSONEventReader()
    private var reply = GeminiReplyReader()

    mutating func take(_ bytes: [UInt8], into output: inout [ChatEvent]) throws(UpstreamFault) {
        try events.take(bytes) { _, document throws(UpstreamFault) in
            try reply.take(document.root, into: &output)
        }
    }

    mutating func end(into output: inout [ChatEvent]) throws(UpstreamFault) {
        if events.endsWithinEvent { throw .garbled("the stream broke off within an answer") }
        try reply.end(into: &output)
    }
}
