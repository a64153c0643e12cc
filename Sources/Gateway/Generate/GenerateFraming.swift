import HTTPWire
import JSON

/// How the events of a stream of ours are told from each other.
enum GenerateFraming: Equatable, Sendable {
    /// Server-sent events, each named as its type.
    case events
    /// Messages of a socket, for the request that its client calls so. Each is a line until it is sent.
    case socket(id: String)

    var isSocket: Bool { self != .events }

    /// Appends an event, whose members `body` writes.
    func append(_ type: String, to output: inout [UInt8], _ body: (inout JSONWriter) -> Void) {
        var json = JSONWriter()
        json.object { json in
            if case .socket(let id) = self { json.field("id", id) }
            json.field("type", type)
            body(&json)
        }
        switch self {
        case .events: SSEWriter.append(event: type, data: json.bytes, to: &output)
        case .socket: output += json.bytes + [0x0A]
        }
    }
}
