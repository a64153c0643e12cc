import Chat
import JSON

/// Thoughts with their seals in the chat dialect, which has no word of its own for them: the list `reasoning_details`
/// that OpenRouter made known. `format` says whose seal it is.
enum OpenAIReasoningDetails {
    /// A thought, and the tool call or the image that its seal belongs to.
    struct Detail: Equatable {
        var reasoning: ChatReasoning
        /// `id` of the detail: a thought's own name, or that of a call or an image.
        var id: String?
    }

    static func read(_ list: JSONValue) -> [Detail] {
        list.elements.compactMap { value -> Detail? in
            var (type, format, id) = ("", "", String?.none)
            var (text, summary, data, signature) = (String?.none, String?.none, String?.none, String?.none)
            for member in value.members {
                switch member.key {
                case "type": type = member.value.string ?? ""
                case "format": format = member.value.string ?? ""
                case "id": id = member.value.string
                case "text": text = member.value.string
                case "summary": summary = member.value.string
                case "data": data = member.value.string
                case "signature": signature = member.value.string
                default: break
                }
            }
            let origin = origin(of: format)
            switch type {
            case "reasoning.encrypted":
                guard let data else { return nil }
                let replacesText = origin != .gemini
                let seal = ChatSeal(data, origin: origin, id: id, replacesText: replacesText)
                return Detail(
                    reasoning: ChatReasoning(summary ?? "", isSummary: summary != nil, seal: seal), id: id)
            case "reasoning.summary":
                let seal = signature.map { ChatSeal($0, origin: origin, id: id) }
                return Detail(reasoning: ChatReasoning(summary ?? "", isSummary: true, seal: seal), id: id)
            case "reasoning.text":
                let seal = signature.map { ChatSeal($0, origin: origin, id: id) }
                return Detail(reasoning: ChatReasoning(text ?? "", seal: seal), id: id)
            default: return nil
            }
        }
    }

    /// Writes a whole thought, or the end of one whose text has been written.
    static func write(_ reasoning: ChatReasoning, owner: String?, _ json: inout JSONWriter) {
        json.object { json in
            // A summary has no place for a signature; what is encrypted has one for a summary.
            if let seal = reasoning.seal,
                seal.replacesText || reasoning.isSummary || (reasoning.text.isEmpty && owner != nil)
            {
                json.field("type", "reasoning.encrypted")
                json.field("data", seal.data)
                if reasoning.isSummary { json.field("summary", reasoning.text) }
            } else if reasoning.isSummary {
                json.field("type", "reasoning.summary")
                json.field("summary", reasoning.text)
                json.field("signature", ifPresent: reasoning.seal?.data)
            } else {
                json.field("type", "reasoning.text")
                json.field("text", reasoning.text)
                json.field("signature", ifPresent: reasoning.seal?.data)
            }
            json.field("id", ifPresent: owner ?? reasoning.seal?.id)
            if let seal = reasoning.seal { json.field("format", format(of: seal.origin)) }
        }
    }

    private static func origin(of format: String) -> ChatDialect {
        switch format {
        case "anthropic-claude-v1": .anthropic
        case "google-gemini-v1": .gemini
        case "openai-responses-v1", "azure-openai-responses-v1", "xai-responses-v1": .openAIResponses
        default:
            format.hasPrefix("hivegate-")
                ? ChatDialect(rawValue: String(format.dropFirst("hivegate-".count))) ?? .openAIChat
                : .openAIChat
        }
    }

    private static func format(of origin: ChatDialect) -> String {
        switch origin {
        case .anthropic: "anthropic-claude-v1"
        case .gemini: "google-gemini-v1"
        case .openAIResponses: "openai-responses-v1"
        case .openAIChat, .cohere, .ollama, .bedrock, .sandbox, .hivegate: "hivegate-\(origin.rawValue)"
        }
    }
}
