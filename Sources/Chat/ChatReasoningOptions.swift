/// How much a model should think before it answers, and what it shows of that.
package struct ChatReasoningOptions: Equatable, Sendable {
    package var amount: Amount?
    /// Whether thoughts are shown, and how much of them.
    package var summary: Summary?
    /// Whether what is thought comes back sealed, to be given again with the next request.
    package var wantsSeal = false

    package enum Amount: Equatable, Sendable {
        case off
        case effort(Effort)
        /// At most so many tokens.
        case tokens(Int)
        /// As much as the model finds right.
        case adaptive
    }

    package enum Effort: String, CaseIterable, Sendable {
        case minimal, low, medium, high, xhigh, max
    }

    package enum Summary: String, CaseIterable, Sendable {
        case none, auto, concise, detailed
    }

    package init(_ amount: Amount? = nil, summary: Summary? = nil) {
        self.amount = amount
        self.summary = summary
    }
}
