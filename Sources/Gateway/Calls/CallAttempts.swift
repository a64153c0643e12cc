import Base
import Chat
import Identity
import Metering

/// The requests to providers for one call of a client.
// Confined to its loop.
final class CallAttempts: @unchecked Sendable {
    let requestID: String
    let caller: Caller
    let kind: AttemptReport.Kind
    let isStreaming: Bool
    private(set) var count = 0
    /// How long the request is that is to be learned from; nil for none.
    var requestBytes: Int?
    /// What all of them have used, as far as that is known.
    private(set) var tokens: Int64 = 0
    /// The budget that would have refused it, if budgets did.
    var wouldRefuse: UUID?
    /// The budgets that only count what it costs.
    var counting: [UUID] = []
    /// What the client says that it is about.
    var tags: [UInt8]?
    /// The answer that was there already, where it was given.
    var kept: UsageEvent.Kept?
    /// Whether it is noted what each of them has used and cost.
    var isMetered = false
    /// What was noted.
    private(set) var notes: [UsageEvent.Attempt] = []

    init(_ requestID: String, of caller: Caller, _ kind: AttemptReport.Kind, isStreaming: Bool = false) {
        self.requestID = requestID
        self.caller = caller
        self.kind = kind
        self.isStreaming = isStreaming
    }

    func raise() { count += 1 }

    func note(_ attempt: UsageEvent.Attempt) { notes.append(attempt) }

    /// All of it, as of now. Nothing has been charged yet.
    func usageEvent(
        _ id: UUID, endpoint: String?, asking model: String, cache: String?, at now: Timestamp
    ) -> UsageEvent {
        UsageEvent(
            id: id, requestID: requestID, organization: caller.organization, user: caller.user,
            key: caller.key, endpoint: endpoint ?? kind.rawValue, model: model, at: now, attempts: notes
        ) {
            $0.cache = cache
            $0.kept = kept
            $0.wouldRefuse = wouldRefuse
            $0.tags = tags
        }
    }

    /// Of the last that used something.
    private(set) var usage: ChatUsage?

    func add(_ usage: ChatUsage?) {
        guard let usage else { return }
        self.usage = usage
        tokens += Int64(usage.totalInput + usage.totalOutput)
    }
}
