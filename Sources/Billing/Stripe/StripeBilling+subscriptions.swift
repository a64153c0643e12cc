package import Base
package import Identity
import Postgres
import Stripe

extension StripeBilling {
    // MARK: What is wished

    /// Begins a subscription. With a card it is paid at once; without one the browser pays the first invoice.
    package func subscribe(
        _ organization: UUID, to plan: String, by actor: Actor
    ) async throws -> BillingStore.Change {
        let (chosen, trialDays) = try await store.offer(plan, to: organization)
        return try await asking {
            let method = try await defaultMethod(of: organization)
            let beginning = try await write(
                StripeBeginning(
                    id: .make(at: now), organization: organization,
                    stripePlan: try await stripePlan(for: chosen), trialDays: trialDays,
                    paysAtOnce: method != nil, begunAt: now), by: actor)
            guard let change = try await begin(beginning) else { throw Problem.notFound("subscription") }
            return change
        }
    }

    /// One that is open already is asked for again, for the answer may have been lost.
    private func write(_ beginning: StripeBeginning, by actor: Actor) async throws -> StripeBeginning {
        try await store.system { transaction in
            let isNew = try await transaction.execute(beginning.insertion)
            if isNew == 1 {
                try await store.identity.note(
                    "subscription.begin", on: "organization", beginning.organization,
                    in: beginning.organization, by: actor, transaction)
                return beginning
            }
            let rows = try await transaction.query(
                """
                SELECT \(StripeBeginning.columns) FROM stripe_beginnings
                WHERE org_id = \(beginning.organization) AND ended_at IS NULL
                """)
            guard let row = rows.first else { throw SubscriptionConflict.changedMeanwhile.problem }
            let open = try StripeBeginning(row)
            guard open.stripePlan == beginning.stripePlan else {
                throw SubscriptionConflict.changedMeanwhile.problem
            }
            return open
        }
    }

    /// Asks Stripe for it, with the same key as before.
    func begin(_ beginning: StripeBeginning) async throws -> BillingStore.Change? {
        let asked = now
        do {
            let told = try await created(beginning)
            let change = try await follow(told, seenAt: asked)
            try await end(beginning)
            return change
        } catch {
            if let error = error as? StripeError, !error.isOutcomeUnknown { try await end(beginning) }
            throw error
        }
    }

    private func created(_ beginning: StripeBeginning) async throws -> StripeSubscription {
        try await stripe.createSubscription(
            of: try await customer(of: beginning.organization), to: beginning.stripePlan,
            trialDays: beginning.trialDays > 0 ? Int64(beginning.trialDays) : nil,
            beginning.paysAtOnce ? .allowIncomplete : .defaultIncomplete,
            metadata: ["organization": beginning.organization.description],
            key: beginning.id.description)
    }

    func end(_ beginning: StripeBeginning) async throws {
        let now = now
        try await store.system { transaction in
            try await transaction.execute(
                "UPDATE stripe_beginnings SET ended_at = \(now) WHERE id = \(beginning.id) AND ended_at IS NULL"
            )
        }
    }

    /// Asks Stripe for what was wished of a subscription of its own, and takes what it makes of it.
    package func ask(_ change: BillingStore.Change) async throws -> BillingStore.Change {
        let subscription = change.stored.subscription
        guard let link = subscription.stripe, let wish = change.wishes.first else { return change }
        let key = "\(subscription.id)-\(change.stored.version)"
        let asked = now
        return try await asking {
            let told = try await ask(wish, of: subscription, link.id, key: key)
            guard let followed = try await follow(told, seenAt: asked) else { return change }
            // So that what was paid for it is seen at once; else it is when Stripe tells of it.
            if let invoice = told.latestInvoice { _ = try? await mirror(invoice) }
            return followed
        }
    }

    private func ask(
        _ wish: SubscriptionEvent, of subscription: Subscription, _ id: String, key: String
    ) async throws -> StripeSubscription {
        switch wish {
        case .upgrade(let plan, let moment):
            // What is left of the period was paid for at the price of the plan that is kept up to its end.
            if subscription.nextPlan != nil {
                _ = try await changePlan(of: id, to: subscription.plan, .none, key: "\(key)-back")
            }
            try await forgetKeptPlan(of: id)
            let proration: StripeProration = subscription.status == .trialing ? .none : .invoicedNow
            return try await changePlan(of: id, to: plan, proration, at: moment, key: key)
        case .downgrade(let plan):
            try await keepPlan(of: subscription, id)
            return try await changePlan(of: id, to: plan, .none, key: key)
        case .keepPlan:
            let told = try await changePlan(of: id, to: subscription.plan, .none, key: key)
            try await forgetKeptPlan(of: id)
            return told
        case .cancelNow: return try await stripe.cancelNow(id)
        case .cancelAtPeriodEnd: return try await stripe.cancelAtPeriodEnd(id, key: key)
        case .resume: return try await stripe.resume(id, key: key)
        case .pause: throw Problem.noPauseByStripe
        case .owes: return try await stripe.subscription(id)
        }
    }

    private func changePlan(
        of id: String, to plan: SubscribedPlan, _ proration: StripeProration, at moment: Timestamp? = nil,
        key: String
    ) async throws -> StripeSubscription {
        let item = try await stripe.subscription(id).items[0].id
        return try await stripe.changePlan(
            of: id, item: item, to: try await stripePlan(for: plan), proration, at: moment, key: key)
    }

    /// What an upgrade costs now, as Stripe reckons it. The name of the quote is good for a quarter of an hour.
    package func quote(
        _ organization: UUID, upgradeTo plan: String
    ) async throws -> (id: UUID, quote: SubscriptionQuote) {
        let (id, quote) = try await store.quote(organization, upgradeTo: plan)
        let stored = try await store.subscription(of: organization)
        // While another plan is to come Stripe has that already, and reckons with it; we know better.
        guard let subscription = stored?.subscription, let link = subscription.stripe,
            subscription.nextPlan == nil, subscription.status != .trialing
        else { return (id, quote) }
        return try await asking {
            let preview = try await stripe.previewChange(
                of: try await customer(of: organization), subscription: link.id,
                item: try await stripe.subscription(link.id).items[0].id,
                to: try await stripePlan(for: quote.plan), .invoicedNow, at: quote.moment)
            let told = SubscriptionQuote(
                plan: quote.plan, moment: quote.moment, lines: preview.lines.map { InvoiceLine($0) })
            try await store.system { transaction in
                try await transaction.execute(
                    "UPDATE subscription_quotes SET cents = \(told.cents) WHERE id = \(id)")
            }
            return (id, told)
        }
    }

    // MARK: What Stripe says

    /// Asks how a subscription is, and takes it.
    func follow(_ id: String) async throws -> StripeCounters.EventOutcome {
        let asked = now
        let told = try await stripe.subscription(id)
        return try await follow(told, seenAt: asked) == nil ? .foreign : .applied
    }

    /// nil: it is none of ours.
    func follow(_ told: StripeSubscription, seenAt: Timestamp) async throws -> BillingStore.Change? {
        guard let organization = try await organization(of: told.customer) else { return nil }
        // One that has ended before we knew of it changes nothing.
        if told.status.isFinal, !(try await isKnown(told.id)) { return nil }
        let standing = try await standing(of: told, seenAt: seenAt)
        let change = try await store.follow(standing, of: organization)
        await announce(change.keyChange)
        return change
    }

    func isKnown(_ id: String) async throws -> Bool {
        try await store.system(readOnly: true) { transaction in
            try await transaction.query(
                "SELECT EXISTS (SELECT FROM subscriptions WHERE stripe_id = \(id))")[0].decode(Bool.self)
        }
    }

    private func standing(
        of told: StripeSubscription, seenAt: Timestamp
    ) async throws -> StripeStanding {
        guard let status = SubscriptionStatus(rawValue: told.status.rawValue),
            let plan = SubscribedPlan(told.items[0].plan)
        else { throw UnknownPlan(id: told.items[0].plan.id) }
        var standing = StripeStanding(
            told.id, seenAt: seenAt, status, plan,
            BillingPeriod(start: told.currentPeriodStart, end: told.currentPeriodEnd))
        if let kept = try await keptPlan(of: told.id), told.currentPeriodStart < kept.until, kept.plan != plan
        {
            standing.plan = kept.plan
            standing.nextPlan = plan
        }
        standing.trialEnd = told.trialEnd
        standing.endsWithPeriod = told.cancelsAtPeriodEnd
        standing.endedAt = status.isEnd ? told.endedAt ?? told.canceledAt ?? seenAt : nil
        if status == .pastDue || status == .unpaid, let invoice = told.latestInvoice {
            standing.owedSince = try await stripe.invoice(invoice).created
        }
        return standing
    }

    // MARK: Plans

    /// The plan at Stripe, which is made when it is needed first. Who has one keeps its price.
    func stripePlan(for plan: SubscribedPlan) async throws -> String {
        let product = "hivegate-\(plan.name)"
        let id = "\(product)-\(plan.cents)-\(plan.interval.rawValue)"
        let isKnown = try await store.system(readOnly: true) { transaction in
            try await transaction.query("SELECT EXISTS (SELECT FROM stripe_plans WHERE id = \(id))")[0]
                .decode(Bool.self)
        }
        if isKnown { return id }
        // Their names are ours, so that there is one of each however often it is made.
        if try await isMissing({ try await stripe.product(product) }) {
            _ = try await stripe.createProduct(
                product, name: plan.title, metadata: ["plan": plan.name], key: UUID.make(at: now).description)
        }
        if try await isMissing({ try await stripe.plan(id) }) {
            _ = try await stripe.createPlan(
                id, of: product, StripeAmount(cents: plan.cents),
                every: plan.interval == .year ? .year : .month,
                metadata: ["plan": plan.name, "title": plan.title], key: UUID.make(at: now).description)
        }
        let now = now
        try await store.system { transaction in
            try await transaction.execute(
                """
                INSERT INTO stripe_plans (id, plan, made_at) VALUES (\(id), \(plan.name), \(now)) ON CONFLICT DO NOTHING
                """)
        }
        return id
    }

    private func isMissing(_ fetch: () async throws -> some Sendable) async throws -> Bool {
        do {
            _ = try await fetch()
            return false
        } catch let error as StripeError {
            guard error.kind == .notFound else { throw error }
            return true
        }
    }

    // MARK: The plan that is kept up to a period's end

    private func keepPlan(of subscription: Subscription, _ id: String) async throws {
        let plan = subscription.plan
        try await store.system { transaction in
            try await transaction.execute(
                """
                INSERT INTO stripe_kept_plans (stripe_id, org_id, plan, plan_title, plan_cents, plan_interval, until)
                VALUES (\(id), \(subscription.organization), \(plan.name), \(plan.title), \(plan.cents),
                    \(plan.interval.rawValue), \(subscription.period.end))
                ON CONFLICT (stripe_id) DO UPDATE SET (plan, plan_title, plan_cents, plan_interval, until)
                    = (EXCLUDED.plan, EXCLUDED.plan_title, EXCLUDED.plan_cents, EXCLUDED.plan_interval, EXCLUDED.until)
                """)
        }
    }

    private func forgetKeptPlan(of id: String) async throws {
        try await store.system { transaction in
            try await transaction.execute("DELETE FROM stripe_kept_plans WHERE stripe_id = \(id)")
        }
    }

    private func keptPlan(of id: String) async throws -> (plan: SubscribedPlan, until: Timestamp)? {
        try await store.system(readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT plan, plan_title, plan_cents, plan_interval, until FROM stripe_kept_plans WHERE stripe_id = \(id)
                """
            ).first?.decode((String, String, Int64, String, Timestamp).self)
        }.map { name, title, cents, interval, until in
            let interval = BillingInterval(rawValue: interval) ?? .month
            return (SubscribedPlan(name, title: title, cents: cents, every: interval), until)
        }
    }
}

/// A plan at Stripe that we have not made, and of which we do not know what it gives.
struct UnknownPlan: Error, CustomStringConvertible {
    let id: String
    var description: String { "the plan \(id) at Stripe is none of ours" }
}

extension SubscribedPlan {
    fileprivate init?(_ plan: StripePlan) {
        guard let name = plan.metadata["plan"], let amount = plan.amount, amount.currency == "usd",
            plan.intervalCount == 1, plan.interval == .month || plan.interval == .year
        else { return nil }
        self.init(
            name, title: plan.metadata["title"] ?? name, cents: amount.cents,
            every: plan.interval == .year ? .year : .month)
    }
}

extension InvoiceLine {
    fileprivate init(_ line: StripeInvoicePreview.Line) {
        let isPeriod = line.periodStart < line.periodEnd
        self.init(
            line.isProration ? .proration : .subscription, line.description ?? "Subscription",
            period: isPeriod ? BillingPeriod(start: line.periodStart, end: line.periodEnd) : nil,
            cents: line.amount.cents)
    }
}
