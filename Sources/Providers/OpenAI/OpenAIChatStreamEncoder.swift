package import Base
package import Chat
import HTTPWire
import JSON

/// Writes a reply as the chunks of OpenAI's chat dialect.
package struct OpenAIChatStreamEncoder: ChatStreamEncoder {
    private let requestID: String
    private let includesUsage: Bool
    private let choice: Int
    private let fallbackModel: String
    private let created: Int
    private var model: String?
    /// What all chunks begin with; made with the first.
    private var head: [UInt8] = []
    private var hasBegun = false
    private var thought = ""
    private var thoughtIsSummary = false
    /// The calls of custom tools, by index.
    private var customCalls: Set<Int> = []
    /// A seal whose place shows with the next event.
    private var pendingSeal: ChatSeal?
    private var imageCount = 0
    private var usage: ChatUsage?

    /// For the choice `choice`; only the last choice's stream is to be ended.
    package init(_ context: ReplyContext, choice: Int = 0) {
        requestID = context.requestID
        includesUsage = context.request.includesUsage
        fallbackModel = context.request.model
        created = Int(context.created.seconds)
        self.choice = choice
    }

    package mutating func encode(_ event: ChatEvent, into output: inout [UInt8]) {
        if let seal = pendingSeal { flush(seal, before: event, into: &output) }
        switch event {
        case .began(_, let model): self.model = model ?? self.model
        case .text(let text): delta(into: &output) { $0.field("content", text) }
        case .refusal(let text): delta(into: &output) { $0.field("refusal", text) }
        case .reasoning(let text, let isSummary):
            thought += text
            thoughtIsSummary = isSummary
            delta(into: &output) { $0.field("reasoning_content", text) }
        case .sealed(let seal):
            if thought.isEmpty && !seal.replacesText {
                pendingSeal = seal
            } else {
                write(seal, owner: nil, into: &output)
            }
        case .toolCallBegan(let index, let id, let name, let isCustom):
            if isCustom { customCalls.insert(index) }
            delta(into: &output) { json in
                Self.call(index, &json) { json in
                    json.field("id", id)
                    json.field("type", isCustom ? "custom" : "function")
                    json.object(isCustom ? "custom" : "function") { json in
                        json.field("name", name)
                        json.field(isCustom ? "input" : "arguments", "")
                    }
                }
            }
        case .toolCallArguments(let index, let piece):
            let isCustom = customCalls.contains(index)
            delta(into: &output) { json in
                Self.call(index, &json) { json in
                    json.object(isCustom ? "custom" : "function") { json in
                        json.field(isCustom ? "input" : "arguments", piece)
                    }
                }
            }
        case .citation(let citation):
            delta(into: &output) { json in
                json.array("annotations") { OpenAIChatWriter.write(citation, &$0) }
            }
        case .media(let media):
            guard media.kind == .image else { return }
            let index = imageCount
            imageCount += 1
            delta(into: &output) { json in
                json.array("images") { OpenAIDrawings.write(media, index, &$0) }
            }
        case .opaque: break
        case .usage(let usage): self.usage = usage
        case .finished(let finish):
            if !hasBegun { delta(into: &output) { _ in } }
            chunk(into: &output, finish: finish.reason) { _ in }
        }
    }

    package mutating func end(into output: inout [UInt8]) {
        if includesUsage, let usage {
            begin()
            append(into: &output) { json in
                json.array("choices") { _ in }
                json.key("usage")
                OpenAIUsage.write(usage, &json)
            }
        }
        output.append(contentsOf: Self.done)
    }

    package mutating func fail(_ problem: Problem, into output: inout [UInt8]) {
        output.append(contentsOf: OpenAIProblem.event(problem, requestID: requestID))
    }

    /// The end of every stream that went well.
    package static let done = Array("data: [DONE]\n\n".utf8)
    package static let comment = Array(": keep-alive\n\n".utf8)

    // MARK: Seals

    private mutating func flush(_ seal: ChatSeal, before event: ChatEvent, into output: inout [UInt8]) {
        pendingSeal = nil
        switch event {
        case .toolCallBegan(_, let id, _, _): write(seal, owner: id, into: &output)
        case .media: write(seal, owner: OpenAIDrawings.id(imageCount), into: &output)
        default: write(seal, owner: nil, into: &output)
        }
    }

    private mutating func write(_ seal: ChatSeal, owner: String?, into output: inout [UInt8]) {
        let reasoning = ChatReasoning(thought, isSummary: thoughtIsSummary, seal: seal)
        thought = ""
        delta(into: &output) { json in
            json.array("reasoning_details") { OpenAIReasoningDetails.write(reasoning, owner: owner, &$0) }
        }
    }

    // MARK: Chunks

    private static func call(_ index: Int, _ json: inout JSONWriter, _ body: (inout JSONWriter) -> Void) {
        json.array("tool_calls") { json in
            json.object { json in
                json.field("index", index)
                body(&json)
            }
        }
    }

    private mutating func delta(into output: inout [UInt8], _ body: (inout JSONWriter) -> Void) {
        chunk(into: &output, finish: nil, body)
    }

    private mutating func chunk(
        into output: inout [UInt8], finish: ChatFinish.Reason?, _ delta: (inout JSONWriter) -> Void
    ) {
        let (isFirst, choice) = (!hasBegun, choice)
        begin()
        append(into: &output) { json in
            json.array("choices") { json in
                json.object { json in
                    json.field("index", choice)
                    json.object("delta") { json in
                        if isFirst { json.field("role", "assistant") }
                        delta(&json)
                    }
                    json.null("logprobs")
                    json.key("finish_reason")
                    if let finish { json.value(OpenAIChatWriter.name(of: finish)) } else { json.null() }
                }
            }
        }
    }

    private mutating func begin() {
        guard !hasBegun else { return }
        hasBegun = true
        var json = JSONWriter(capacity: 192)
        json.openObject()
        json.field("id", "chatcmpl-\(requestID)")
        json.field("object", "chat.completion.chunk")
        json.field("created", created)
        json.field("model", model ?? fallbackModel)
        head = Array("data: ".utf8) + json.bytes
    }

    /// Appends an event whose object goes on behind the head.
    private func append(into output: inout [UInt8], _ body: (inout JSONWriter) -> Void) {
        var json = JSONWriter(capacity: 192)
        json.object(body)
        output.reserveCapacity(output.count + head.count + json.bytes.count + 3)
        output.append(contentsOf: head)
        output.append(0x2C)
        output.append(contentsOf: json.bytes.dropFirst())
        output.append(0x0A)
        output.append(0x0A)
    }
}
