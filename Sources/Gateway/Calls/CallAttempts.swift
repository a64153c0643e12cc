import Chat
import Identity

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

    init(_ requestID: String, of caller: Caller, _ kind: AttemptReport.Kind, isStreaming: Bool = false) {
        self.requestID = requestID
        self.caller = caller
        self.kind = kind
        self.isStreaming = isStreaming
    }

    func raise() { count += 1 }

    /// Of the last that used something.
    private(set) var usage: ChatUsage?

    func add(_ usage: ChatUsage?) {
        guard let usage else { return }
        self.usage = usage
        tokens += Int64(usage.totalInput + usage.totalOutput)
    }
}
