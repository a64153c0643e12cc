import Base
package import Chat
import JSON

/// Writes whole completions in OpenAI's chat dialect.
package struct OpenAIChatWriter: Sendable {
    private let context: ReplyContext

    package init(_ context: ReplyContext) { self.context = context }

    /// The body of an answer with one choice for each of `replies`, which is at least one.
    package func completion(_ replies: [ChatReply]) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.field("id", "chatcmpl-\(context.requestID)")
            json.field("object", "chat.completion")
            json.field("created", Int(context.created.seconds))
            json.field("model", replies[0].model ?? context.request.model)
            json.array("choices") { json in
                for (index, reply) in replies.enumerated() {
                    json.object { json in
                        json.field("index", index)
                        json.key("message")
                        Self.write(message: reply, &json)
                        json.null("logprobs")
                        json.field("finish_reason", Self.name(of: reply.finish.reason))
                    }
                }
            }
            let usages = replies.compactMap(\.usage)
            if var usage = usages.first {
                // The prompt was read once, whatever the number of choices.
                usage.output = usages.reduce(0) { $0 + $1.output }
                json.key("usage")
                OpenAIUsage.write(usage, &json)
            }
        }
        return json.bytes
    }

    static func name(of reason: ChatFinish.Reason) -> String {
        switch reason {
        case .stop, .paused: "stop"
        case .length: "length"
        case .toolCalls: "tool_calls"
        case .contentFilter: "content_filter"
        }
    }

    private static func write(message reply: ChatReply, _ json: inout JSONWriter) {
        let parts = MessageParts(reply.parts)
        json.object { json in
            json.field("role", "assistant")
            if let text = parts.text { json.field("content", text) } else { json.null("content") }
            json.key("refusal")
            json.value(parts.refusal)
            parts.writeThoughts(as: .both, &json)
            if !parts.citations.isEmpty {
                json.array("annotations") { json in
                    for citation in parts.citations { Self.write(citation, &json) }
                }
            }
            parts.writeImages(&json)
            parts.writeCalls(&json)
        }
    }

    static func write(_ citation: ChatCitation, _ json: inout JSONWriter) {
        json.object { json in
            json.field("type", "url_citation")
            json.object("url_citation") { json in
                json.field("url", citation.url)
                json.field("title", ifPresent: citation.title)
                json.field("content", ifPresent: citation.quote)
            }
        }
    }
}

/// An assistant's parts as the chat dialect sorts them: it knows one text, one refusal, a list of thoughts and a list of
/// calls.
struct MessageParts {
    private(set) var text: String?
    private(set) var refusal: String?
    private(set) var citations: [ChatCitation] = []
    private(set) var calls: [ChatToolCall] = []
    private var images: [ChatMedia] = []
    /// `owner` is the call, or the image, that a seal is of.
    private var thoughts: [(reasoning: ChatReasoning, owner: String?)] = []

    /// In which field thoughts are written.
    enum ThoughtField { case both, text, details }

    init(_ parts: [ChatPart]) {
        for (index, part) in parts.enumerated() {
            switch part.content {
            case .text(let piece):
                text = (text ?? "") + piece.text
                citations += piece.citations
            case .refusal(let piece): refusal = (refusal ?? "") + piece
            case .reasoning(let reasoning):
                var owner: String?
                if index + 1 < parts.count, reasoning.text.isEmpty, reasoning.seal?.replacesText == false {
                    owner = self.owner(parts[index + 1])
                }
                thoughts.append((reasoning, owner))
            case .toolCall(let call): calls.append(call)
            case .media(let media) where media.kind == .image: images.append(media)
            case .media, .toolResult, .opaque: break
            }
        }
    }

    private func owner(_ part: ChatPart) -> String? {
        switch part.content {
        case .toolCall(let call): call.id
        case .media(let media) where media.kind == .image: OpenAIDrawings.id(images.count)
        default: nil
        }
    }

    func writeImages(_ json: inout JSONWriter) {
        guard !images.isEmpty else { return }
        json.array("images") { json in
            for (index, image) in images.enumerated() { OpenAIDrawings.write(image, index, &json) }
        }
    }

    func writeThoughts(as field: ThoughtField, _ json: inout JSONWriter) {
        guard !thoughts.isEmpty else { return }
        let text = thoughts.map(\.reasoning.text).joined()
        if field != .details, !text.isEmpty { json.field("reasoning_content", text) }
        let hasSeals = thoughts.contains { $0.reasoning.seal != nil || $0.reasoning.isSummary }
        guard field == .details || field == .both && hasSeals else { return }
        json.array("reasoning_details") { json in
            for thought in thoughts {
                OpenAIReasoningDetails.write(thought.reasoning, owner: thought.owner, &json)
            }
        }
    }

    func writeCalls(_ json: inout JSONWriter) {
        guard !calls.isEmpty else { return }
        json.array("tool_calls") { json in
            for call in calls {
                json.object { json in
                    json.field("id", call.id)
                    json.field("type", call.isCustom ? "custom" : "function")
                    json.object(call.isCustom ? "custom" : "function") { json in
                        json.field("name", call.name)
                        json.field(call.isCustom ? "input" : "arguments", call.arguments)
                    }
                }
            }
        }
    }
}
