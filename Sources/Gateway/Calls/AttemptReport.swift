package import Base
package import Chat
package import Metering

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
    package var kind: Kind
    /// Which of the attempts for its call it was, from 1 on.
    package var number: Int
    package var isStreaming: Bool
    package var outcome: Outcome
    /// nil where the provider did nothing that it could ask money for, or counts no tokens. What is left while it works
    /// has used what was sent, as far as we know.
    package var usage: ChatUsage?
    /// Images made; where nobody saw the answer, those asked for.
    package var imageCount: Int
    /// From the request to the first byte of its answer.
    package var timeToFirstByte: Duration?
    package var duration: Duration

    /// What was asked for.
    package enum Kind: String, CaseIterable, Sendable {
        case chat, embedding, image
        /// Costs nothing anywhere.
        case tokenCount = "token_count"
    }

    package typealias Outcome = UsageEvent.Outcome
}
