package import Base
package import Identity
import Postgres

extension BillingStore {
    /// What a change has come to. Whoever made it announces `keyChange` before they answer.
    package struct Change: Equatable, Sendable {
        package var stored: StoredSubscription
        package var keyChange: KeyChange?
        /// What Stripe is to be asked for; what it makes of it comes back (`follow`).
        package var wishes: [SubscriptionEvent] = []
        package var invoices: [UUID] = []
    }

    /// The present subscription, or else the last.
    package func subscription(of organization: UUID) async throws -> StoredSubscription? {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await Self.subscription(of: organization, transaction)
        }
    }

    /// Begins a subscription. A plan by agreement has the price that was agreed upon.
    package func subscribe(
        _ organization: UUID, to plan: String, _ beginning: Subscription.Beginning? = nil,
        agreedCents: Int64? = nil, by actor: Actor
    ) async throws -> Change {
        let now = time.timestamp()
        do {
            return try await system { transaction in
                let offer = try await Self.plan(plan, transaction)
                let chosen = try Self.chosen(offer, agreedCents: agreedCents)
                let (subscription, effects) = Subscription.begin(
                    .make(at: now), of: organization, chosen,
                    beginning ?? (offer.trialDays > 0 ? .trial(days: offer.trialDays) : .onAccount), at: now)
                try await transaction.execute(subscription.insertion)
                var turn = SubscriptionTurn(self, subscription, by: actor, at: now, transaction)
                try await turn.perform(effects)
                try await turn.save("subscription.begun", before: nil)
                return Change(turn, version: 1)
            }
        } catch let error as PostgresError
            where error.kind == .uniqueViolation(constraint: "subscriptions_current")
        {
            throw SubscriptionConflict.alreadySubscribed.problem
        }
    }

    /// What an upgrade to a plan costs now. The name of the quote is good for a quarter of an hour, and for the subscription
    /// as it is.
    package func quote(
        _ organization: UUID, upgradeTo plan: String
    ) async throws -> (id: UUID, quote: SubscriptionQuote) {
        let now = time.timestamp()
        return try await system { transaction in
            let stored = try await Self.current(of: organization, transaction)
            let chosen = try Self.chosen(try await Self.plan(plan, transaction), agreedCents: nil)
            let quote: SubscriptionQuote
            do throws(SubscriptionConflict) {
                quote = try stored.subscription.quote(upgradeTo: chosen, at: now)
            } catch {
                throw error.problem
            }
            let id = UUID.make(at: now)
            try await transaction.execute(
                """
                INSERT INTO subscription_quotes (id, org_id, subscription_id, version, plan, plan_title, plan_cents,
                    plan_interval, moment, cents)
                VALUES (\(id), \(organization), \(stored.subscription.id), \(stored.version), \(chosen.name),
                    \(chosen.title), \(chosen.cents), \(chosen.interval.rawValue), \(quote.moment), \(quote.cents))
                """)
            return (id, quote)
        }
    }

    /// Takes the offer of a quote: at its price, or not at all.
    package func upgrade(
        _ organization: UUID, acceptingQuote quote: UUID, by actor: Actor
    ) async throws -> Change {
        try await change(organization, by: actor, "subscription.upgrade") { transaction, stored in
            let rows = try await transaction.query(
                """
                SELECT plan, plan_title, plan_cents, plan_interval, moment FROM subscription_quotes
                WHERE id = \(quote) AND org_id = \(organization) AND subscription_id = \(stored.subscription.id)
                    AND version = \(stored.version)
                """)
            guard let row = rows.first else { throw SubscriptionConflict.quoteExpired.problem }
            let (name, title, cents, interval, moment) = try row.decode(
                (String, String, Int64, String, Timestamp).self)
            let plan = SubscribedPlan(
                name, title: title, cents: cents, every: BillingInterval(rawValue: interval) ?? .month)
            return .upgrade(plan, from: moment)
        }
    }

    /// To a dearer plan now, at what that costs now.
    package func upgrade(
        _ organization: UUID, to plan: String, expecting version: Int64? = nil, by actor: Actor
    ) async throws -> Change {
        try await change(organization, expecting: version, by: actor, "subscription.upgrade") {
            transaction, _ in
            .upgrade(try Self.chosen(try await Self.plan(plan, transaction), agreedCents: nil), from: nil)
        }
    }

    /// To another plan when the period ends.
    package func downgrade(
        _ organization: UUID, to plan: String, expecting version: Int64? = nil, by actor: Actor
    ) async throws -> Change {
        try await change(organization, expecting: version, by: actor, "subscription.downgrade") {
            transaction, _ in
            .downgrade(try Self.chosen(try await Self.plan(plan, transaction), agreedCents: nil))
        }
    }

    /// Whatever else can be wished of a subscription.
    package func change(
        _ organization: UUID, _ event: SubscriptionEvent, expecting version: Int64? = nil, by actor: Actor
    ) async throws -> Change {
        try await change(organization, expecting: version, by: actor, "subscription.changed") { _, _ in event
        }
    }

    /// Takes what Stripe says of a subscription. The first time it is said which organization's it is, and that
    /// organization's subscription becomes Stripe's.
    package func follow(_ standing: StripeStanding, of organization: UUID) async throws -> Change {
        let now = time.timestamp()
        return try await system { transaction in
            try await changing(organization, nil, transaction) { stored in
                var turn = SubscriptionTurn(self, stored.subscription, by: .system, at: now, transaction)
                try await turn.follow(standing)
                _ = try await turn.elapse()
                try await turn.save("subscription.followed", before: stored.subscription)
                return Change(turn, version: stored.version + 1)
            }
        }
    }

    // MARK: Inside

    private func change(
        _ organization: UUID, expecting version: Int64? = nil, by actor: Actor, _ kind: String,
        _ event: (PostgresTransaction, StoredSubscription) async throws -> SubscriptionEvent
    ) async throws -> Change {
        let now = time.timestamp()
        return try await system { transaction in
            try await changing(organization, version, transaction) { stored in
                var turn = SubscriptionTurn(self, stored.subscription, by: actor, at: now, transaction)
                // What time has brought comes before what people wish.
                _ = try await turn.elapse()
                try await turn.apply(try await event(transaction, stored))
                _ = try await turn.elapse()
                try await turn.save(kind, before: stored.subscription)
                return Change(turn, version: stored.version + 1)
            }
        }
    }

    /// Runs `body` with the subscription as it was read, if nobody has changed it since.
    private func changing(
        _ organization: UUID, _ version: Int64?, _ transaction: PostgresTransaction,
        _ body: (StoredSubscription) async throws -> Change
    ) async throws -> Change {
        let stored = try await Self.current(of: organization, transaction)
        let isClaimed = try await transaction.execute(
            """
            UPDATE subscriptions SET version = version + 1
            WHERE id = \(stored.subscription.id) AND version = \(version ?? stored.version)
                AND version = \(stored.version)
            """)
        guard isClaimed == 1 else { throw SubscriptionConflict.changedMeanwhile.problem }
        return try await body(stored)
    }

    private static func chosen(_ plan: Plan, agreedCents: Int64?) throws -> SubscribedPlan {
        var chosen = plan.subscribed
        if let agreedCents {
            guard (0...SubscribedPlan.mostCents).contains(agreedCents) else {
                throw Problem(faults: [
                    Problem.Fault("price_cents", "must be between 0 and \(SubscribedPlan.mostCents)")
                ])
            }
            chosen.cents = agreedCents
        } else if plan.isCustom || plan.isArchived {
            throw Problem.planNotOffered
        }
        return chosen
    }

    private static func subscription(
        of organization: UUID, _ transaction: PostgresTransaction
    ) async throws -> StoredSubscription? {
        try await transaction.query(
            """
            SELECT \(StoredSubscription.columns) FROM subscriptions WHERE org_id = \(organization)
            ORDER BY ended_at IS NULL DESC, created_at DESC, id DESC LIMIT 1
            """
        ).first.map { row throws(PostgresError) in try StoredSubscription(row) }
    }

    /// By its name, to oneself until the transaction ends.
    static func claim(
        _ id: UUID, _ transaction: PostgresTransaction
    ) async throws -> StoredSubscription {
        let rows = try await transaction.query(
            """
            UPDATE subscriptions SET version = version + 1 WHERE id = \(id) RETURNING \(StoredSubscription.columns)
            """)
        guard let row = rows.first else { throw Problem.notFound("subscription") }
        return try StoredSubscription(row)
    }

    private static func current(
        of organization: UUID, _ transaction: PostgresTransaction
    ) async throws -> StoredSubscription {
        guard let stored = try await subscription(of: organization, transaction) else {
            throw Problem.notFound("subscription")
        }
        return stored
    }
}

extension BillingStore.Change {
    init(_ turn: SubscriptionTurn, version: Int64) {
        self.init(
            stored: StoredSubscription(subscription: turn.subscription, version: version),
            keyChange: turn.keyChange, wishes: turn.wishes, invoices: turn.invoices)
    }
}
