package import Base
package import Chat
import HTTPWire
import JSON

/// Writes a reply as OpenAI's chat dialect has it: whole, or event by event.
package struct OpenAIChatEncoder: Sendable {
    private let id: String
    private let created: Int
    private let model: String

    package init(id: String, created: Timestamp, model: String) {
        self.id = id
        self.created = Int(created.seconds)
        self.model = model
    }

    /// The whole reply: the body of an answer that is not streamed.
    package func completion(
        texts: [String], finish: ChatFinish.Reason, usage: ChatUsage
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { json in
            head("chat.completion", &json)
            json.array("choices") { json in
                for (index, text) in texts.enumerated() {
                    json.object { json in
                        json.field("index", index)
                        json.object("message") { json in
                            json.field("role", "assistant")
                            json.field("content", text)
                            json.key("refusal")
                            json.null()
                        }
                        json.key("logprobs")
                        json.null()
                        json.field("finish_reason", finish.rawValue)
                    }
                }
            }
            write(usage, &json)
        }
        return json.bytes
    }

    /// The event that begins the choice `index`.
    package func begin(choice index: Int = 0) -> [UInt8] {
        event { json in
            choice(index, finish: nil, &json) { json in
                json.field("role", "assistant")
                json.field("content", "")
            }
        }
    }

    package func text(_ text: String, choice index: Int = 0) -> [UInt8] {
        event { json in
            choice(index, finish: nil, &json) { $0.field("content", text) }
        }
    }

    package func finish(_ reason: ChatFinish.Reason, choice index: Int = 0) -> [UInt8] {
        event { json in choice(index, finish: reason, &json) { _ in } }
    }

    /// The event that a client gets only if it asked for the usage.
    package func usage(_ usage: ChatUsage) -> [UInt8] {
        event { json in
            json.array("choices") { _ in }
            write(usage, &json)
        }
    }

    /// The end of every stream that went well.
    package static let done = Array("data: [DONE]\n\n".utf8)

    // MARK: Parts

    private func event(_ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter(capacity: 256)
        json.object { json in
            head("chat.completion.chunk", &json)
            body(&json)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(json.bytes.count + 8)
        SSEWriter.append(data: json.bytes, to: &bytes)
        return bytes
    }

    private func head(_ object: String, _ json: inout JSONWriter) {
        json.field("id", id)
        json.field("object", object)
        json.field("created", created)
        json.field("model", model)
    }

    private func choice(
        _ index: Int, finish: ChatFinish.Reason?, _ json: inout JSONWriter,
        _ delta: (inout JSONWriter) -> Void
    ) {
        json.array("choices") { json in
            json.object { json in
                json.field("index", index)
                json.object("delta") { delta(&$0) }
                json.key("logprobs")
                json.null()
                json.key("finish_reason")
                if let finish { json.value(finish.rawValue) } else { json.null() }
            }
        }
    }

    private func write(_ usage: ChatUsage, _ json: inout JSONWriter) {
        json.object("usage") { json in
            json.field("prompt_tokens", usage.input)
            json.field("completion_tokens", usage.output)
            json.field("total_tokens", usage.input + usage.output)
            json.object("prompt_tokens_details") { $0.field("cached_tokens", 0) }
            json.object("completion_tokens_details") { $0.field("reasoning_tokens", 0) }
        }
    }
}
