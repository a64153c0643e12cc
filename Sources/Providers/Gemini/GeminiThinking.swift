import Chat

/// How much a model is told to think.
enum GeminiThinking: Equatable {
    case budget(Int)
    case level(String)

    /// nil where the model is to do as it finds right.
    init?(_ amount: ChatReasoningOptions.Amount?, model: GeminiModel) {
        switch amount {
        case nil: return nil
        case .tokens(let count): self = .budget(count)
        case .adaptive:
            if model.thinking == .level { return nil }
            self = .budget(-1)
        case .off: self = model.thinking == .level ? Self.least(model) : .budget(model.isPro ? 128 : 0)
        case .effort(let effort):
            self = model.thinking == .level ? Self.level(effort, model) : .budget(Self.tokens(effort))
        }
    }

    private static func least(_ model: GeminiModel) -> GeminiThinking {
        .level(model.isPro ? "low" : "minimal")
    }

    private static func level(_ effort: ChatReasoningOptions.Effort, _ model: GeminiModel) -> GeminiThinking {
        switch effort {
        case .minimal: least(model)
        case .low: .level("low")
        case .medium: .level("medium")
        case .high, .xhigh, .max: .level("high")
        }
    }

    /// As the provider itself translates efforts.
    private static func tokens(_ effort: ChatReasoningOptions.Effort) -> Int {
        switch effort {
        case .minimal, .low: 1024
        case .medium: 8192
        case .high, .xhigh, .max: 24_576
        }
    }
}
