import Analytics
import Base

/// Calls as a table for spreadsheets: a line for each request to a provider, and one for a call that made none.
enum CallTable {
    static let heading = CSVLine.text([
        "id", "request_id", "at", "endpoint", "asked_model", "user_id", "key_id", "call_outcome", "cache",
        "calls", "tags",
        "saved_nano", "attempt", "provider", "model", "own_key", "outcome", "fault", "latency_us",
        "first_token_us",
        "input", "cached_input", "output", "images", "cost_nano", "commission_nano", "charge_nano",
    ])

    static func lines(_ call: UsedCall) -> String {
        let common: [String?] = [
            call.id.description, call.requestID, call.at.description, call.endpoint, call.askedModel,
            call.user.description, call.key.description, call.outcome, call.cache, "\(call.calls)", call.tags,
        ]
        if call.attempts.isEmpty {
            let nothing = [String?](repeating: nil, count: 13)
            return CSVLine.text(common + ["\(call.saved)", "0"] + nothing + ["\(call.charge)"])
        }
        return call.attempts.enumerated().map { index, attempt in
            // Once, so that the column can be added up.
            let saved = index == 0 ? call.saved : 0
            return CSVLine.text(
                common + [
                    "\(saved)", "\(attempt.number)", attempt.provider, attempt.model,
                    "\(attempt.isOwnKey)", attempt.outcome, attempt.fault, "\(attempt.latency)",
                    attempt.firstToken.map { "\($0)" }, "\(attempt.input)", "\(attempt.cachedInput)",
                    "\(attempt.output)", "\(attempt.images)", attempt.cost.map { "\($0)" },
                    "\(attempt.commission)", "\(attempt.charge)",
                ])
        }.joined()
    }
}
