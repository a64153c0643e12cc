/// One of the things that `Limits` bound, by its name on the wire.
package enum LimitKind: String, CaseIterable, Sendable {
    case requestsPerMinute = "requests_per_minute"
    case requestsPerHour = "requests_per_hour"
    case requestsPerDay = "requests_per_day"
    case requestsPerMonth = "requests_per_month"
    case tokensPerMinute = "tokens_per_minute"
    case tokensPerHour = "tokens_per_hour"
    case tokensPerDay = "tokens_per_day"
    case tokensPerMonth = "tokens_per_month"
    case concurrentRequests = "concurrent_requests"

    /// The largest that such a limit can be.
    package var largest: Int {
        self == .concurrentRequests ? Limits.largestConcurrent : Limits.largest
    }
}

extension Limits {
    /// nil does not limit.
    package subscript(_ kind: LimitKind) -> Int? {
        get {
            switch kind {
            case .requestsPerMinute: requests.minute
            case .requestsPerHour: requests.hour
            case .requestsPerDay: requests.day
            case .requestsPerMonth: requests.month
            case .tokensPerMinute: tokens.minute
            case .tokensPerHour: tokens.hour
            case .tokensPerDay: tokens.day
            case .tokensPerMonth: tokens.month
            case .concurrentRequests: concurrent
            }
        }
        set {
            switch kind {
            case .requestsPerMinute: requests.minute = newValue
            case .requestsPerHour: requests.hour = newValue
            case .requestsPerDay: requests.day = newValue
            case .requestsPerMonth: requests.month = newValue
            case .tokensPerMinute: tokens.minute = newValue
            case .tokensPerHour: tokens.hour = newValue
            case .tokensPerDay: tokens.day = newValue
            case .tokensPerMonth: tokens.month = newValue
            case .concurrentRequests: concurrent = newValue
            }
        }
    }
}
