/// Why a subscription cannot be changed as somebody wishes.
package enum SubscriptionConflict: String, Error, CaseIterable, Sendable {
    case ended, incomplete, paymentOwed, paused, notPaused, alreadyPaused, alreadyEnding, samePlan
    case notMore, notLess, noChangePending, quoteExpired, changedMeanwhile, alreadySubscribed,
        otherSubscription

    /// For people: the reason and the way out.
    package var reason: String {
        switch self {
        case .ended: "The subscription has ended. Begin a new one."
        case .incomplete: "The first invoice is not paid yet. Pay it, or cancel."
        case .paymentOwed: "An invoice is overdue. Pay it first, or cancel now."
        case .paused: "The subscription is paused. Resume it first, or cancel now."
        case .notPaused: "The subscription is neither paused nor does it end with its period."
        case .alreadyPaused: "The subscription is paused already."
        case .alreadyEnding: "The subscription ends with its period already."
        case .samePlan: "The subscription has this plan already."
        case .notMore: "This plan costs no more than the present one. Change to it at the period's end."
        case .notLess: "This plan costs more than the present one. Upgrade to it now."
        case .noChangePending: "No change of the plan is pending."
        case .quoteExpired: "The quote is not good any more. Ask for a new one."
        case .changedMeanwhile:
            "The subscription was changed by somebody else at the same time. Look, and try again."
        case .alreadySubscribed:
            "The organization has a subscription already. Change that, or cancel it first."
        case .otherSubscription: "What was said is about another subscription."
        }
    }
}
