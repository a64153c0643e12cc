import Chat
import JSON

/// Reads a stream of Ollama's: a JSON object on each line.
struct OllamaStreamDecoder: ChatStreamDecoder {
    private var lines = JSONLineReader()
    private var reader: OllamaReplyReader

    init(firstCall: Int) { reader = OllamaReplyReader(firstCall: firstCall) }

    mutating func take(_ bytes: [UInt8], into events: inout [ChatEvent]) throws(UpstreamFault) {
        var reader = reader
        defer { self.reader = reader }
        try lines.take(bytes) { (document) throws(UpstreamFault) in
            try reader.take(document.root, into: &events)
        }
    }

    mutating func end(into events: inout [ChatEvent]) throws(UpstreamFault) {
        var reader = reader
        defer { self.reader = reader }
        try lines.end { (document) throws(UpstreamFault) in
            try reader.take(document.root, into: &events)
        }
        guard reader.isOver else { throw .garbled("the stream broke off before its end") }
    }
}
