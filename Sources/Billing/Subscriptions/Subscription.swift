package import Base

/// What an organization has agreed to pay for, and how that stands: a value that changes by what is wished
/// (`apply`), by time (`elapse`) and by what Stripe says (`follow`). Each says what is to be done because of it.
package struct Subscription: Equatable, Sendable {
    package let id: UUID
    package let organization: UUID
    package internal(set) var status: SubscriptionStatus
    package internal(set) var plan: SubscribedPlan
    /// From where periods are counted.
    package internal(set) var anchor: Timestamp
    package internal(set) var period: BillingPeriod
    package let createdAt: Timestamp
    package internal(set) var trialEnd: Timestamp?
    /// Up to then an overdue invoice changes nothing.
    package internal(set) var graceUntil: Timestamp?
    /// When the oldest invoice that is not paid is due.
    package internal(set) var owedSince: Timestamp?
    /// How many reminders were sent, of the invoice that was due at `remindedOf`.
    package internal(set) var reminders = 0
    package internal(set) var remindedOf: Timestamp?
    package internal(set) var endsWithPeriod = false
    /// What it becomes when the period ends.
    package internal(set) var nextPlan: SubscribedPlan?
    package internal(set) var endedAt: Timestamp?
    /// The plan that the organization was given last because of this.
    package internal(set) var grantedPlan: String?
    /// Where Stripe owns it.
    package internal(set) var stripe: StripeLink?

    package struct StripeLink: Equatable, Sendable {
        package var id: String
        /// As of when we know what Stripe says of it.
        package var seenAt: Timestamp

        package init(id: String, seenAt: Timestamp) {
            self.id = id
            self.seenAt = seenAt
        }
    }

    /// What an organization has whose subscription gives it nothing.
    package static let fallbackPlan = "free"

    /// How long things last, for everybody.
    package enum Terms {
        /// The first invoice is to be paid within.
        package static let firstPayment = Duration.seconds(23 * 3600)
        /// Every other.
        package static let payment = days(14)
        /// An overdue invoice changes nothing for so long.
        package static let grace = days(7)
        /// After it was due; then nothing more is invoiced.
        package static let suspension = days(14)
        /// After it was due; then the subscription ends.
        package static let end = days(30)
        /// After it was due.
        package static let reminders = [days(1), days(3), days(5), days(7)]
        /// What was quoted is charged for so long.
        package static let quote = Duration.seconds(15 * 60)

        static func days(_ count: Int) -> Duration { .seconds(count * 86_400) }
    }

    /// How one begins.
    package enum Beginning: Equatable, Sendable {
        /// At once; the invoice is open for 14 days.
        case onAccount
        /// When the first invoice is paid.
        case prepaid
        case trial(days: Int)
    }

    /// What is to be done is what the first `effects` say.
    package static func begin(
        _ id: UUID, of organization: UUID, _ plan: SubscribedPlan, _ beginning: Beginning, at now: Timestamp
    ) -> (Subscription, [SubscriptionEffect]) {
        let now = Timestamp(seconds: now.seconds)
        var period = BillingAnchor(now, every: plan.interval).period(0)
        var subscription = Subscription(
            id: id, organization: organization, status: .active, plan: plan, anchor: now, period: period,
            createdAt: now)
        var effects: [SubscriptionEffect] = []
        switch beginning {
        case .trial(let days) where days > 0:
            period.end = now + Terms.days(days)
            subscription.status = .trialing
            subscription.period = period
            subscription.trialEnd = period.end
            subscription.anchor = period.end
        case .prepaid where plan.cents > 0:
            subscription.status = .incomplete
            effects = [subscription.invoiceOfPeriod(due: now + Terms.firstPayment)]
        case .onAccount, .prepaid, .trial:
            effects = [subscription.invoiceOfPeriod(due: now + Terms.payment)]
        }
        effects += subscription.grants(at: now)
        return (subscription, effects)
    }

    /// Whether the organization has what it pays for.
    package func hasFullAccess(at now: Timestamp) -> Bool {
        switch status {
        case .trialing, .active: true
        case .pastDue: graceUntil.map { now < $0 } ?? false
        case .incomplete, .incompleteExpired, .unpaid, .paused, .canceled: false
        }
    }

    package func planInForce(at now: Timestamp) -> String {
        hasFullAccess(at: now) ? plan.name : Self.fallbackPlan
    }

    // MARK: For all that changes it

    var periods: BillingAnchor { BillingAnchor(anchor, every: plan.interval) }

    /// What the organization may do is made to agree with how things stand.
    mutating func grants(at now: Timestamp) -> [SubscriptionEffect] {
        let plan = planInForce(at: now)
        guard plan != grantedPlan else { return [] }
        grantedPlan = plan
        return [.grant(plan: plan)]
    }

    func invoiceOfPeriod(due: Timestamp, withUsage: Bool = false) -> SubscriptionEffect {
        .invoice(
            [InvoiceLine(.subscription, plan.title, period: period, cents: plan.cents)], due: due,
            withUsage: withUsage)
    }

    mutating func end(_ status: SubscriptionStatus, at moment: Timestamp) {
        self.status = status
        endedAt = moment
        endsWithPeriod = false
        nextPlan = nil
        graceUntil = nil
    }
}
