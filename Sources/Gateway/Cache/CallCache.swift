import Base
import Cache
import Chat
import Identity
import JSON
import Providers
import Redis

/// Where the answer to a question lies, in words that are needed each time it is asked.
final class AnswerPlace: Sendable {
    let key: CacheKey
    let organization: UUID
    /// For clients.
    let name: String
    let get: RedisCommand
    /// What the key was made of, where that is the usual: one who may answer, and no fields that matter.
    let usual: Usual?

    struct Usual: Sendable {
        let candidate: Candidate
        let catalogueEpoch: Int64
    }

    init(of subject: CacheSubject, usual candidate: Candidate?) {
        key = CacheKey(of: subject)
        organization = subject.organization
        name = key.text
        get = CacheStore.getCommand(key, of: organization)
        usual = candidate.map { Usual(candidate: $0, catalogueEpoch: subject.catalogueEpoch) }
    }
}

/// What the cache may do for one call.
// Confined to its loop.
final class CallCache: @unchecked Sendable {
    let place: AnswerPlace
    let decision: CacheDecision
    /// What is said, if it may be kept.
    let recording: AnswerRecording?
    /// What is asked, where it may be answered with what was said to others who asked in other words.
    let comparison: Comparison?
    /// The same, once it is known to be that kind of question.
    var search: SimilarSearch?

    /// Where other processes wait for the answer.
    var lease: AnswerLease?

    var key: CacheKey { place.key }
    var organization: UUID { place.organization }

    struct Comparison {
        let subject: CacheSubject
        let policy: CachePolicy.Semantic
    }

    init(_ place: AnswerPlace, _ decision: CacheDecision, _ comparison: Comparison?) {
        self.place = place
        self.comparison = comparison
        self.decision = decision
        recording = decision.mayStore ? AnswerRecording(upTo: decision.largestEntryBytes) : nil
    }
}
