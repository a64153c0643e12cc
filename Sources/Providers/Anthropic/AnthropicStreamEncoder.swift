package import Base
package import Chat
import HTTPWire
import JSON

/// Writes a stream of the Messages API, in which one content block follows on the other.
///
/// Where calls of tools come in turns, those behind the first are held back until it is complete.
package struct AnthropicStreamEncoder: ChatStreamEncoder {
    /// More than this is not held back.
    static let largestBacklog = 8 * 1024 * 1024

    private let context: ReplyContext
    private var id: String?
    private var hasStarted = false
    private var hasEnded = false
    private var block: Block?
    private var blockCount = 0
    /// What came while a call was not complete.
    private var backlog: [ChatEvent] = []
    private var backlogSize = 0
    private var usage: ChatUsage?
    private var finish: ChatFinish?

    /// The content block that is open.
    private enum Block {
        /// `isCited`: what is said next has sources of its own.
        case text(isCited: Bool)
        case thinking(isSummary: Bool)
        case call(index: Int, AnthropicObjectScanner)
    }

    init(_ context: ReplyContext) { self.context = context }

    package mutating func encode(_ event: ChatEvent, into output: inout [UInt8]) {
        if hasEnded { return }
        switch event {
        case .began(let id, _):
            self.id = id
        case .usage(let usage):
            self.usage = usage
            // What was read is known: time to begin.
            start(into: &output)
        case .finished(let finish):
            self.finish = finish
            start(into: &output)
            closeAll(into: &output)
        // Images have no words here.
        case .text(""), .reasoning("", _), .toolCallArguments(_, ""), .media:
            break
        default:
            start(into: &output)
            say(event, into: &output)
        }
    }

    package mutating func end(into output: inout [UInt8]) {
        if hasEnded { return }
        guard let finish else {
            let problem = Problem(
                .badGateway, code: "provider_error", "The provider's answer broke off. Try again.")
            return fail(problem, into: &output)
        }
        hasEnded = true
        write("message_delta", into: &output) { json in
            json.object("delta") { AnthropicStopReason.write(finish, to: &$0) }
            AnthropicUsage.writeFinal(usage ?? ChatUsage(), to: &json)
        }
        write("message_stop", into: &output) { _ in }
    }

    package mutating func fail(_ problem: Problem, into output: inout [UInt8]) {
        if hasEnded { return }
        hasEnded = true
        output += AnthropicProblem.event(problem, requestID: context.requestID)
    }

    // MARK: Blocks

    private mutating func start(into output: inout [UInt8]) {
        if hasStarted { return }
        hasStarted = true
        write("message_start", into: &output) { json in
            json.object("message") { json in
                json.field("id", AnthropicReplyWriter.identifier(id, context))
                json.field("type", "message")
                json.field("role", "assistant")
                json.field("model", context.request.model)
                json.array("content") { _ in }
                AnthropicStopReason.write(nil, to: &json)
                AnthropicUsage.write(usage ?? ChatUsage(), to: &json)
            }
        }
    }

    private mutating func say(_ event: ChatEvent, into output: inout [UInt8]) {
        if case .call(let current, let scanner) = block {
            if case .toolCallArguments(current, let piece) = event {
                return sayArguments(piece, current, scanner, into: &output)
            }
            if !scanner.isComplete { return hold(event, into: &output) }
        }
        switch event {
        case .text(let piece): say(piece, into: &output)
        case .refusal(let piece): say(piece, into: &output)
        case .citation(let citation): say(citation, into: &output)
        case .reasoning(let piece, let isSummary): think(piece, isSummary: isSummary, into: &output)
        case .sealed(let seal): say(seal, into: &output)
        case .toolCallBegan(let index, let id, let name, _):
            open(.call(index: index, AnthropicObjectScanner()), into: &output) { json in
                json.field("type", "tool_use")
                json.field("id", id)
                json.field("name", name)
                json.object("input") { _ in }
            }
        case .opaque(.anthropic, _, let value): say(value, into: &output)
        // Values of others mean nothing here; arguments of no call have no place.
        case .opaque, .media, .toolCallArguments, .began, .usage, .finished: break
        }
    }

    private mutating func sayArguments(
        _ piece: String, _ index: Int, _ scanner: AnthropicObjectScanner, into output: inout [UInt8]
    ) {
        var scanner = scanner
        scanner.take(piece)
        block = .call(index: index, scanner)
        delta("input_json_delta", into: &output) { $0.field("partial_json", piece) }
        if scanner.isComplete, !backlog.isEmpty { sayBacklog(into: &output) }
    }

    private mutating func say(_ piece: String, into output: inout [UInt8]) {
        if case .text(isCited: false) = block {} else { openText(into: &output) }
        delta("text_delta", into: &output) { $0.field("text", piece) }
    }

    private mutating func say(_ citation: ChatCitation, into output: inout [UInt8]) {
        if case .text = block {} else { openText(into: &output) }
        block = .text(isCited: true)
        delta("citations_delta", into: &output) { json in
            json.key("citation")
            AnthropicCitations.write(citation, to: &json)
        }
    }

    private mutating func openText(into output: inout [UInt8]) {
        open(.text(isCited: false), into: &output) { json in
            json.field("type", "text")
            json.field("text", "")
        }
    }

    private mutating func think(_ piece: String, isSummary: Bool, into output: inout [UInt8]) {
        if case .thinking(isSummary) = block {} else { openThinking(isSummary: isSummary, into: &output) }
        delta("thinking_delta", into: &output) { $0.field("thinking", piece) }
    }

    private mutating func openThinking(isSummary: Bool, into output: inout [UInt8]) {
        open(.thinking(isSummary: isSummary), into: &output) { json in
            json.field("type", "thinking")
            json.field("thinking", "")
            json.field("signature", "")
        }
    }

    /// A seal ends the thought that is open, or is one of its own.
    private mutating func say(_ seal: ChatSeal, into output: inout [UInt8]) {
        var isThinking = false
        if case .thinking = block { isThinking = true }
        if !isThinking, seal.replacesText {
            open(nil, into: &output) { json in
                json.field("type", "redacted_thinking")
                json.field("data", AnthropicReplyWriter.sealed(seal))
            }
            return closeBlock(index: blockCount - 1, into: &output)
        }
        if !isThinking { openThinking(isSummary: false, into: &output) }
        delta("signature_delta", into: &output) {
            $0.field("signature", AnthropicReplyWriter.sealed(seal))
        }
        close(into: &output)
    }

    /// As Anthropic streams it: what a tool is given comes in a piece of its own.
    private mutating func say(_ value: JSONValue, into output: inout [UInt8]) {
        let input = value["input"].flatMap { $0.kind == .object && $0.count > 0 ? $0 : nil }
        open(nil, into: &output) { json in
            for member in value.members {
                json.key(dynamic: member.key.string)
                if input != nil, member.key == "input" {
                    json.object { _ in }
                } else {
                    json.value(member.value)
                }
            }
        }
        if let input {
            delta("input_json_delta", into: &output) {
                $0.field("partial_json", String(decoding: input.bytes, as: UTF8.self))
            }
        }
        closeBlock(index: blockCount - 1, into: &output)
    }

    // MARK: Order

    private mutating func hold(_ event: ChatEvent, into output: inout [UInt8]) {
        backlog.append(event)
        backlogSize += event.size
        if backlogSize <= Self.largestBacklog { return }
        let problem = Problem(
            .badGateway, code: "provider_error",
            "The provider's calls of tools are too large to be put in order.")
        fail(problem, into: &output)
    }

    private mutating func sayBacklog(into output: inout [UInt8]) {
        var events: [ChatEvent] = []
        swap(&events, &backlog)
        backlogSize = 0
        for event in events { say(event, into: &output) }
    }

    /// At the end every call is as complete as it gets.
    private mutating func closeAll(into output: inout [UInt8]) {
        close(into: &output)
        while !backlog.isEmpty {
            sayBacklog(into: &output)
            close(into: &output)
        }
    }

    private mutating func open(
        _ block: Block?, into output: inout [UInt8], _ body: (inout JSONWriter) -> Void
    ) {
        close(into: &output)
        self.block = block
        let index = blockCount
        blockCount += 1
        write("content_block_start", into: &output) { json in
            json.field("index", index)
            json.object("content_block", body)
        }
    }

    private mutating func close(into output: inout [UInt8]) {
        if block == nil { return }
        block = nil
        closeBlock(index: blockCount - 1, into: &output)
    }

    private func closeBlock(index: Int, into output: inout [UInt8]) {
        write("content_block_stop", into: &output) { $0.field("index", index) }
    }

    private func delta(_ type: String, into output: inout [UInt8], _ body: (inout JSONWriter) -> Void) {
        write("content_block_delta", into: &output) { json in
            json.field("index", blockCount - 1)
            json.object("delta") { json in
                json.field("type", type)
                body(&json)
            }
        }
    }

    private func write(_ name: String, into output: inout [UInt8], _ body: (inout JSONWriter) -> Void) {
        var json = JSONWriter(capacity: 256)
        json.object { json in
            json.field("type", name)
            body(&json)
        }
        SSEWriter.append(event: name, data: json.bytes, to: &output)
    }
}

extension ChatEvent {
    /// About how much memory it takes.
    fileprivate var size: Int {
        switch self {
        case .text(let text), .refusal(let text), .reasoning(let text, _), .toolCallArguments(_, let text):
            text.utf8.count + 64
        case .sealed(let seal): seal.data.utf8.count + 64
        case .opaque(_, _, let value): value.bytes.count + 64
        case .began, .citation, .media, .toolCallBegan, .usage, .finished: 256
        }
    }
}
