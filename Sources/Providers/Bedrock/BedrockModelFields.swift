import Chat
import JSON

/// What a model's own format has and Converse has not.
struct BedrockModelFields {
    private let model: BedrockModel
    private let thinking: AnthropicThinking
    private let isThinking: Bool
    private var topK: Int?
    private var effort: String?
    private(set) var omitted: [String] = []

    init(_ model: BedrockModel, thinking: AnthropicThinking, isThinking: Bool) {
        self.model = model
        self.thinking = thinking
        self.isThinking = isThinking
    }

    mutating func take(_ request: ChatRequest) {
        if let asked = request.sampling.topK {
            let isKnown = model.family == .nova || model.family == .anthropic && !isThinking
            if isKnown { topK = asked } else { omitted.append("top_k") }
        }
        if model.family == .anthropic {
            if thinking.isOmitted { omitted.append("reasoning") }
            return
        }
        switch request.reasoning?.amount {
        case nil: break
        case .effort(let level) where model.family == .openAI: effort = Self.word(for: level)
        default: omitted.append("reasoning")
        }
    }

    var isEmpty: Bool { topK == nil && effort == nil && !saysThinking }

    private var saysThinking: Bool { model.family == .anthropic && thinking.mode != .unsaid }

    func write(to json: inout JSONWriter) {
        if let topK {
            if model.family == .nova {
                json.object("inferenceConfig") { $0.field("topK", topK) }
            } else {
                json.field("top_k", topK)
            }
        }
        json.field("reasoning_effort", ifPresent: effort)
        if !saysThinking { return }
        json.object("thinking") { json in
            switch thinking.mode {
            case .unsaid: break
            case .off: json.field("type", "disabled")
            case .adaptive, .effort: json.field("type", "adaptive")
            case .budget(let count):
                json.field("type", "enabled")
                json.field("budget_tokens", count)
            }
        }
    }

    /// OpenAI's open models have three efforts.
    private static func word(for effort: ChatReasoningOptions.Effort) -> String {
        switch effort {
        case .minimal, .low: "low"
        case .medium: "medium"
        case .high, .xhigh, .max: "high"
        }
    }
}
