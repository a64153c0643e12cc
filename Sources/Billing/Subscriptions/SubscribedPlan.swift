/// A plan as it was when it was chosen: whoever has chosen it keeps its price, whatever the plan costs others later.
package struct SubscribedPlan: Equatable, Sendable {
    package var name: String
    package var title: String
    /// For one interval, in US cents.
    package var cents: Int64
    package var interval: BillingInterval

    /// No plan costs more, and nothing else that is invoiced by hand.
    package static let mostCents: Int64 = 10_000_000_000

    package init(_ name: String, title: String, cents: Int64, every interval: BillingInterval = .month) {
        self.name = name
        self.title = title
        self.cents = cents
        self.interval = interval
    }

    /// What is compared to say whether another plan is more or less.
    package var centsPerYear: Int64 { cents * Int64(12 / interval.months) }
}
