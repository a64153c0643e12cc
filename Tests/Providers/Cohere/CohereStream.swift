import Chat
import JSON

/// Writes a stream as Cohere does.
struct CohereStream {
    private(set) var bytes: [UInt8] = []
    /// Behind which byte the stream has said all.
    private(set) var end: Int?

    /// Pieces of a text, for deltas.
    static func pieces(_ text: String, of size: Int) -> [String] {
        var pieces: [String] = []
        var rest = text[...]
        while !rest.isEmpty {
            pieces.append(String(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        return pieces
    }

    mutating func event(_ type: String, _ fields: (inout JSONWriter) -> Void = { _ in }) {
        var json = JSONWriter()
        json.object { json in
            json.field("type", type)
            fields(&json)
        }
        bytes += Array("event: \(type)\ndata: ".utf8) + json.bytes + Array("\n\n".utf8)
    }

    mutating func event(_ type: String, index: Int?, message: (inout JSONWriter) -> Void) {
        event(type) { json in
            json.field("index", ifPresent: index)
            json.object("delta") { $0.object("message", message) }
        }
    }

    mutating func start(id: String) {
        event("message-start") { json in
            json.field("id", id)
            json.object("delta") { json in
                json.object("message") { json in
                    json.field("role", "assistant")
                    json.array("content") { _ in }
                    json.field("tool_plan", "")
                }
            }
        }
    }

    mutating func content(_ index: Int, _ kind: String, _ text: String, pieces size: Int) {
        event("content-start", index: index) { json in
            json.object("content") { json in
                json.field("type", kind)
                json.key(dynamic: kind)
                json.value("")
            }
        }
        for piece in Self.pieces(text, of: size) {
            event("content-delta", index: index) { json in
                json.object("content") { json in
                    json.key(dynamic: kind)
                    json.value(piece)
                }
            }
        }
        event("content-end") { $0.field("index", index) }
    }

    mutating func plan(_ text: String, pieces size: Int) {
        for piece in Self.pieces(text, of: size) {
            event("tool-plan-delta", index: nil) { $0.field("tool_plan", piece) }
        }
    }

    mutating func call(_ index: Int, _ call: ChatToolCall, pieces size: Int) {
        event("tool-call-start", index: index) { json in
            json.object("tool_calls") { json in
                json.field("id", call.id)
                json.field("type", "function")
                json.object("function") { json in
                    json.field("name", call.name)
                    json.field("arguments", "")
                }
            }
        }
        for piece in Self.pieces(call.arguments, of: size) {
            event("tool-call-delta", index: index) { json in
                json.object("tool_calls") { json in
                    json.object("function") { $0.field("arguments", piece) }
                }
            }
        }
        event("tool-call-end") { $0.field("index", index) }
    }

    mutating func end(_ reason: String, usage: ChatUsage, isDone: Bool = false) {
        event("message-end") { json in
            json.object("delta") { json in
                json.field("finish_reason", reason)
                json.object("usage") { json in
                    json.object("billed_units") { json in
                        json.field("input_tokens", usage.input)
                        json.field("output_tokens", usage.output)
                    }
                    json.object("tokens") { $0.field("input_tokens", usage.input + 500) }
                }
            }
        }
        end = bytes.count
        if isDone { bytes += Array("data: [DONE]\n\n".utf8) }
    }
}
