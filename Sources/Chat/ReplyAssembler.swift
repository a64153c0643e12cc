/// Puts a reply together from its events.
package struct ReplyAssembler: Sendable {
    private var id: String?
    private var model: String?
    private var parts: [ChatPart] = []
    /// Where in `parts` the call of an index is.
    private var calls: [Int: Int] = [:]
    private var finish: ChatFinish?
    package private(set) var usage: ChatUsage?

    package init() {}

    package mutating func take(_ event: ChatEvent) {
        switch event {
        case .began(let id, let model):
            self.id = id ?? self.id
            self.model = model ?? self.model
        case .text(let piece): append(text: piece)
        case .citation(let citation): append(citation)
        case .refusal(let piece): append(refusal: piece)
        case .reasoning(let piece, let isSummary): append(reasoning: piece, isSummary: isSummary)
        case .sealed(let seal): append(seal)
        case .toolCallBegan(let index, let id, let name, let isCustom):
            calls[index] = parts.count
            parts.append(
                ChatPart(
                    .toolCall(ChatToolCall(id: id, name: name, arguments: "", isCustom: isCustom))))
        case .toolCallArguments(let index, let piece):
            guard let place = calls[index], case .toolCall(var call) = parts[place].content else { return }
            parts[place].content = .text(ChatText(""))
            call.arguments += piece
            parts[place].content = .toolCall(call)
        case .media(let media): parts.append(ChatPart(.media(media)))
        case .opaque(let dialect, let type, let value):
            parts.append(ChatPart(.opaque(dialect, type: type, value)))
        case .usage(let usage): self.usage = usage
        case .finished(let finish): self.finish = finish
        }
    }

    /// nil while the reply has not ended.
    package var reply: ChatReply? {
        finish.map { ChatReply(id: id, model: model, parts: parts, finish: $0, usage: usage) }
    }

    private mutating func append(text piece: String) {
        guard let last = parts.indices.last, case .text(var text) = parts[last].content,
            text.citations.isEmpty
        else {
            return parts.append(.text(piece))
        }
        // Taken out while it grows, so that it is not copied.
        parts[last].content = .refusal("")
        text.text += piece
        parts[last].content = .text(text)
    }

    private mutating func append(_ citation: ChatCitation) {
        guard let last = parts.indices.last, case .text(var text) = parts[last].content else {
            return parts.append(ChatPart(.text(ChatText("", citations: [citation]))))
        }
        text.citations.append(citation)
        parts[last].content = .text(text)
    }

    private mutating func append(refusal piece: String) {
        guard let last = parts.indices.last, case .refusal(let text) = parts[last].content else {
            return parts.append(ChatPart(.refusal(piece)))
        }
        parts[last].content = .refusal(text + piece)
    }

    private mutating func append(reasoning piece: String, isSummary: Bool) {
        guard let last = parts.indices.last, case .reasoning(var reasoning) = parts[last].content,
            reasoning.seal == nil, reasoning.isSummary == isSummary
        else {
            return parts.append(ChatPart(.reasoning(ChatReasoning(piece, isSummary: isSummary))))
        }
        parts[last].content = .refusal("")
        reasoning.text += piece
        parts[last].content = .reasoning(reasoning)
    }

    private mutating func append(_ seal: ChatSeal) {
        if let last = parts.indices.last, case .reasoning(var reasoning) = parts[last].content,
            reasoning.seal == nil
        {
            reasoning.seal = seal
            parts[last].content = .reasoning(reasoning)
        } else {
            parts.append(ChatPart(.reasoning(ChatReasoning("", seal: seal))))
        }
    }
}
