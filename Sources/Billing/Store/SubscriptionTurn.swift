import Base
import Identity
import JSON
import Postgres

/// One change of a subscription inside a transaction that has it to itself, with all that it brings about.
struct SubscriptionTurn {
    let store: BillingStore
    let transaction: PostgresTransaction
    let actor: Actor
    let now: Timestamp
    private(set) var subscription: Subscription
    private(set) var keyChange: KeyChange?
    /// What Stripe is to be asked for.
    private(set) var wishes: [SubscriptionEvent] = []
    private(set) var invoices: [UUID] = []

    /// Far more than happens while nobody looks for years. What is left is done the next time.
    private static let mostSteps = 200

    init(
        _ store: BillingStore, _ subscription: Subscription, by actor: Actor, at now: Timestamp,
        _ transaction: PostgresTransaction
    ) {
        self.store = store
        self.subscription = subscription
        self.actor = actor
        self.now = now
        self.transaction = transaction
    }

    mutating func apply(_ event: SubscriptionEvent) async throws {
        let effects: [SubscriptionEffect]
        do throws(SubscriptionConflict) {
            effects = try subscription.apply(event, at: now)
        } catch {
            throw error.problem
        }
        try await perform(effects)
    }

    mutating func follow(_ standing: StripeStanding) async throws {
        let effects: [SubscriptionEffect]
        do throws(SubscriptionConflict) {
            effects = try subscription.follow(standing, at: now)
        } catch {
            throw error.problem
        }
        try await perform(effects)
    }

    /// All that time has brought; says how much that was.
    mutating func elapse() async throws -> Int {
        var steps = 0
        while steps < Self.mostSteps, let effects = subscription.elapse(to: now) {
            try await perform(effects)
            steps += 1
        }
        return steps
    }

    mutating func perform(_ effects: [SubscriptionEffect]) async throws {
        var concernsInvoices = false
        for effect in effects {
            switch effect {
            case .grant(let plan):
                keyChange = try await store.identity.givePlan(
                    plan, to: subscription.organization, by: actor, transaction)
            case .invoice(let lines, let due, let withUsage):
                let invoice = try await store.invoice(
                    subscription.organization, subscription.id, lines, due: due, withUsage: withUsage,
                    leastUsage: subscription.stripe == nil ? 1 : StripeBilling.leastCents, at: now,
                    transaction)
                if let invoice { invoices.append(invoice) }
                concernsInvoices = true
            case .voidInvoices, .giveUpInvoices:
                try await store.closeAll(
                    of: subscription, as: effect == .voidInvoices ? .void : .uncollectible, at: now,
                    transaction)
                concernsInvoices = true
            case .remind(let count): try await store.remind(of: subscription, count, at: now, transaction)
            case .askStripe(let event): wishes.append(event)
            }
        }
        // What is owed to us beside changes nothing of what is Stripe's.
        if concernsInvoices, subscription.stripe == nil {
            try await apply(.owes(since: try await store.owedSince(of: subscription.id, transaction)))
        }
    }

    /// Writes the subscription down, and what has become of it.
    func save(_ kind: String, before: Subscription?) async throws {
        try await transaction.execute(subscription.update)
        if let before, before == subscription, wishes.isEmpty { return }
        var detail = JSONWriter()
        detail.object { json in
            if let before { json.field("status_before", before.status.rawValue) }
            json.field("status", subscription.status.rawValue)
            if let before, before.plan != subscription.plan { json.field("plan_before", before.plan.name) }
            json.field("plan", subscription.plan.name)
            json.field("next_plan", subscription.nextPlan?.name)
            json.field("ends_with_period", subscription.endsWithPeriod)
        }
        try await store.note(
            BillingEvent(
                id: .make(at: now), organization: subscription.organization, subscription: subscription.id,
                at: now, kind: kind, detail: detail.bytes), transaction)
    }
}
