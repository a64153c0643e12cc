import Chat

/// How much Anthropic's model is to think, and how many tokens it may answer: each bounds the other.
struct AnthropicThinking {
    let mode: Mode
    let maximumTokens: Int
    /// Whether the client wants thoughts that cannot be had together with the rest of its request.
    let isOmitted: Bool

    enum Mode: Equatable {
        case unsaid, off, adaptive
        case budget(Int)
        case effort(ChatReasoningOptions.Effort)

        var isOn: Bool { self != .unsaid && self != .off }
    }

    /// Where neither the client nor the catalogue says how many tokens an answer may take.
    private static let usualMaximum = 4096
    /// Anthropic refuses less.
    private static let leastBudget = 1024

    init(_ request: ChatRequest, for target: ChatTarget) {
        let asked = request.sampling.maximumTokens ?? target.maximumOutput
        var maximum = asked ?? Self.usualMaximum
        var mode = Self.mode(request.reasoning?.amount)
        if case .budget(let wanted) = mode {
            // Thoughts count as answered. A limit of somebody's making holds, ours makes room.
            if asked == nil { maximum += wanted }
            let budget = max(Self.leastBudget, min(wanted, maximum - 1))
            mode = budget < maximum ? .budget(budget) : .unsaid
        }
        // A model that must call a tool cannot think before, says Anthropic.
        if mode.isOn, Self.isForced(request.toolChoice), !request.tools.isEmpty { mode = .unsaid }
        let isWanted = Self.mode(request.reasoning?.amount).isOn
        self.mode = mode
        maximumTokens = maximum
        isOmitted = isWanted && !mode.isOn
    }

    private static func mode(_ amount: ChatReasoningOptions.Amount?) -> Mode {
        switch amount {
        case nil: .unsaid
        case .off: .off
        case .adaptive: .adaptive
        case .tokens(let count): .budget(count)
        case .effort(let effort): .effort(effort)
        }
    }

    private static func isForced(_ choice: ChatToolChoice?) -> Bool {
        switch choice {
        case .required, .tool: true
        case .auto, .some(.none), nil: false
        }
    }

    /// Anthropic's own name of the effort, which has no `minimal`.
    static func word(for effort: ChatReasoningOptions.Effort) -> String {
        effort == .minimal ? ChatReasoningOptions.Effort.low.rawValue : effort.rawValue
    }
}
