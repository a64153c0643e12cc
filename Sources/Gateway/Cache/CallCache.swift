import Base
import Cache
import Chat
import Identity
import JSON
import Providers

/// What the cache may do for one call.
// Confined to its loop.
final class CallCache: @unchecked Sendable {
    let key: CacheKey
    let organization: UUID
    let decision: CacheDecision
    /// What is said, if it may be kept.
    let recording: AnswerRecording?
    /// What is asked, where it may be answered with what was said to others who asked in other words.
    let comparison: Comparison?
    /// The same, once it is known to be that kind of question.
    var search: SimilarSearch?

    /// Where other processes wait for the answer.
    var lease: AnswerLease?

    struct Comparison {
        let subject: CacheSubject
        let policy: CachePolicy.Semantic
    }

    init(_ key: CacheKey, of organization: UUID, _ decision: CacheDecision, _ comparison: Comparison?) {
        self.key = key
        self.comparison = comparison
        self.organization = organization
        self.decision = decision
        recording = decision.mayStore ? AnswerRecording(upTo: decision.largestEntryBytes) : nil
    }
}
