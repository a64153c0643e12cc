/// What may be wished of a subscription without saying more.
package enum SubscriptionWish: String, CaseIterable, Sendable {
    case keepPlan = "keep_plan"
    case cancelNow = "cancel_now"
    case cancelAtPeriodEnd = "cancel_at_period_end"
    case resume, pause

    var event: SubscriptionEvent {
        switch self {
        case .keepPlan: .keepPlan
        case .cancelNow: .cancelNow
        case .cancelAtPeriodEnd: .cancelAtPeriodEnd
        case .resume: .resume
        case .pause: .pause
        }
    }
}
