/// A whole reply of a model: what its events add up to.
package struct ChatReply: Equatable, Sendable {
    package var id: String?
    /// The model as the provider names it.
    package var model: String?
    package var parts: [ChatPart]
    package var finish: ChatFinish
    /// nil where the provider does not say.
    package var usage: ChatUsage?

    package init(
        id: String? = nil, model: String? = nil, parts: [ChatPart], finish: ChatFinish,
        usage: ChatUsage? = nil
    ) {
        self.id = id
        self.model = model
        self.parts = parts
        self.finish = finish
        self.usage = usage
    }

    /// What was said in words.
    package var text: String {
        parts.lazy.compactMap { part in
            if case .text(let text) = part.content { text.text } else { nil }
        }.joined()
    }

    package var toolCalls: [ChatToolCall] {
        parts.compactMap { part in
            if case .toolCall(let call) = part.content { call } else { nil }
        }
    }

    /// The reply as it would have been streamed, each part in one piece.
    package var events: [ChatEvent] {
        var events: [ChatEvent] = [.began(id: id, model: model)]
        var callCount = 0
        for part in parts {
            switch part.content {
            case .text(let text):
                events.append(.text(text.text))
                events.append(contentsOf: text.citations.map(ChatEvent.citation))
            case .refusal(let text): events.append(.refusal(text))
            case .reasoning(let reasoning):
                if !reasoning.text.isEmpty {
                    events.append(.reasoning(reasoning.text, isSummary: reasoning.isSummary))
                }
                if let seal = reasoning.seal { events.append(.sealed(seal)) }
            case .toolCall(let call):
                events.append(
                    .toolCallBegan(
                        index: callCount, id: call.id, name: call.name, isCustom: call.isCustom))
                events.append(.toolCallArguments(index: callCount, call.arguments))
                callCount += 1
            case .opaque(let dialect, let type, let value):
                events.append(.opaque(dialect, type: type, value))
            case .media(let media): events.append(.media(media))
            case .toolResult:
                // Models do not answer with these in any dialect that we speak.
                break
            }
        }
        events.append(.finished(finish))
        if let usage { events.append(.usage(usage)) }
        return events
    }
}
