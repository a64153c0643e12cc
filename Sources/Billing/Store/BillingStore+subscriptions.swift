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

    /// One of an organization's, however long ago.
    package func subscription(
        _ id: UUID, of organization: UUID
    ) async throws -> StoredSubscription {
        let rows = try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT \(StoredSubscription.columns) FROM subscriptions
                WHERE id = \(id) AND org_id = \(organization)
                """)
        }
        guard let row = rows.first else { throw Problem.notFound("subscription") }
        return try StoredSubscription(row)
    }

    /// Begins a subscription. A plan by agreement has the price that was agreed upon. Nobody tries twice what a plan lets
    /// them try.
    package func subscribe(
        _ organization: UUID, to plan: String, _ beginning: Subscription.Beginning? = nil,
        agreedCents: Int64? = nil, by actor: Actor
    ) async throws -> Change {
        let now = time.timestamp()
        return try await Self.namingConflicts {
            try await system { transaction in
                let (chosen, trialDays) = try await Self.offer(
                    plan, to: organization, agreedCents: agreedCents, at: now, transaction)
                let usual: Subscription.Beginning = trialDays > 0 ? .trial(days: trialDays) : .onAccount
                let (subscription, effects) = Subscription.begin(
                    .make(at: now), of: organization, chosen, beginning ?? usual, at: now)
                try await transaction.execute(subscription.insertion)
                var turn = SubscriptionTurn(self, subscription, by: actor, at: now, transaction)
                try await turn.perform(effects)
                try await turn.save("subscription.begun", before: nil)
                return Change(turn, version: 1)
            }
        }
    }

    /// A plan for somebody who has none at the moment, and for how long they may try it.
    func offer(
        _ plan: String, to organization: UUID
    ) async throws -> (plan: SubscribedPlan, trialDays: Int) {
        let now = time.timestamp()
        return try await system(readOnly: true) { transaction in
            if let stored = try await Self.subscription(of: organization, transaction),
                !stored.subscription.status.isEnd
            {
                throw SubscriptionConflict.alreadySubscribed.problem
            }
            return try await Self.offer(plan, to: organization, agreedCents: nil, at: now, transaction)
        }
    }

    private static func offer(
        _ plan: String, to organization: UUID, agreedCents: Int64?, at now: Timestamp,
        _ transaction: PostgresTransaction
    ) async throws -> (plan: SubscribedPlan, trialDays: Int) {
        let offer = try await Self.plan(plan, transaction)
        let chosen = try Self.chosen(offer, agreedCents: agreedCents)
        let (isNew, isInDebt) = try await transaction.query(
            """
            SELECT NOT EXISTS (SELECT FROM subscriptions WHERE org_id = \(organization)),
                EXISTS (SELECT FROM invoices WHERE org_id = \(organization) AND status = 'open'
                    AND due_at <= \(now))
            """)[0].decode((Bool, Bool).self)
        if isInDebt { throw SubscriptionConflict.paymentOwed.problem }
        return (chosen, isNew ? offer.trialDays : 0)
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
        _ organization: UUID, _ wish: SubscriptionWish, expecting version: Int64? = nil, by actor: Actor
    ) async throws -> Change {
        try await change(organization, expecting: version, by: actor, "subscription.\(wish.rawValue)") {
            _, _ in
            wish.event
        }
    }

    /// Takes what Stripe says of a subscription of an organization. The first time it is said it is that of the present
    /// subscription, which is Stripe's from then on, or else of a new one.
    package func follow(_ standing: StripeStanding, of organization: UUID) async throws -> Change {
        let now = time.timestamp()
        return try await Self.namingConflicts {
            try await system { transaction in
                let known = try await transaction.query(
                    """
                    SELECT \(StoredSubscription.columns) FROM subscriptions WHERE id = (
                        SELECT id FROM subscriptions WHERE org_id = \(organization)
                            AND (stripe_id = \(standing.id) OR stripe_id IS NULL AND ended_at IS NULL)
                        ORDER BY stripe_id IS NULL LIMIT 1)
                    FOR NO KEY UPDATE
                    """
                ).first.map { row throws(PostgresError) in try StoredSubscription(row) }
                let stored =
                    known
                    ?? StoredSubscription(
                        subscription: Subscription(.make(at: now), of: organization, standing, at: now),
                        version: 1)
                if known == nil { try await transaction.execute(stored.subscription.insertion) }
                var turn = SubscriptionTurn(self, stored.subscription, by: .system, at: now, transaction)
                try await turn.follow(standing)
                _ = try await turn.elapse()
                // That it was looked at once more is no change: what was quoted stays good.
                var before = known?.subscription
                if before?.stripe != nil { before?.stripe = turn.subscription.stripe }
                try await turn.save("subscription.followed", before: before)
                if known == nil || before == turn.subscription {
                    return Change(turn, version: stored.version)
                }
                try await transaction.execute(
                    "UPDATE subscriptions SET version = version + 1 WHERE id = \(stored.subscription.id)")
                return Change(turn, version: stored.version + 1)
            }
        }
    }

    // MARK: Inside

    /// Two at once, or an organization that there is not.
    private static func namingConflicts(_ body: () async throws -> Change) async throws -> Change {
        do {
            return try await body()
        } catch let error as PostgresError {
            switch error.kind {
            case .uniqueViolation(constraint: "subscriptions_current"):
                throw SubscriptionConflict.alreadySubscribed.problem
            case .uniqueViolation(constraint: "subscriptions_stripe_id_key"):
                throw SubscriptionConflict.changedMeanwhile.problem
            case .foreignKeyViolation(constraint: "subscriptions_org_id_fkey"):
                throw Problem.notFound("organization")
            default: throw error
            }
        }
    }

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
