package import Base
package import Chat

/// One request to a provider, for whoever counts.
package struct AttemptReport: Sendable {
    package var requestID: String
    package var organization: UUID
    package var key: UUID
    package var provider: String
    /// Whether it was asked with the organization's own key, and so at its own cost.
    package var isOwnKey: Bool
    /// As clients name it: `openai/gpt-5`.
    package var model: String
    /// Which of the attempts for its call it was, from 1 on.
    package var number: Int
    package var isStreaming: Bool
    package var outcome: Outcome
    /// nil where the provider gave no answer that could have cost something.
    package var usage: ChatUsage?
    /// From the request to the first byte of its answer.
    package var timeToFirstByte: Duration?
    package var duration: Duration

    package enum Outcome: String, CaseIterable, Sendable {
        case answered
        /// The provider refused or failed, or broke off.
        case failed
        /// The client left before the end.
        case abandoned
    }
}
