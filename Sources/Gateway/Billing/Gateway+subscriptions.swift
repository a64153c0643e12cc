import Base
import Billing
import Identity
import JSON

/// The handlers of `SubscriptionEndpoints`.
extension Gateway {
    func subscribe(_ call: APICall) async throws -> Reply {
        let isPrepaid = call.fields.bool("prepaid")
        let change = try await subscribe(call, to: call.fields.string("plan"), isPrepaid ? .prepaid : nil)
        return try await answer(change, call, status: 201)
    }

    private func subscribe(
        _ call: APICall, to plan: String, _ beginning: Subscription.Beginning? = nil
    ) async throws -> BillingStore.Change {
        let billing = try requireBilling()
        let organization = call.principal.organization
        if let stripe = billing.stripe {
            return try await stripe.subscribe(organization, to: plan, by: call.actor)
        }
        return try await billing.store.subscribe(organization, to: plan, beginning, by: call.actor)
    }

    func showSubscription(_ call: APICall) async throws -> Reply {
        let stored = try await requireBilling().store.subscription(
            call.id("subscription_id"), of: call.principal.organization)
        return .json { json in json.fields(of: stored, at: call.now) }
    }

    func showSubscriptionOfUser(_ call: APICall) async throws -> Reply {
        let billing = try requireBilling()
        let organization = call.principal.organization
        let members = try await identity.store.members(of: organization)
        guard members.contains(where: { $0.user == call.id("user_id") }),
            let stored = try await billing.store.subscription(of: organization)
        else { throw Problem.nothingHere }
        return .json { json in json.fields(of: stored, at: call.now) }
    }

    func changeSubscription(_ call: APICall) async throws -> Reply {
        let fields = call.fields
        let wishes: [SubscriptionWish] = [
            fields.optionalBool("cancel_at_period_end").map { $0 ? .cancelAtPeriodEnd : .resume },
            fields.optionalBool("paused").map { $0 ? .pause : .resume },
            fields.optionalString("keep_plan").map { _ in .keepPlan },
        ].compactMap(\.self)
        guard wishes.count == 1 else {
            throw Self.notOneChange("cancel_at_period_end, paused and keep_plan")
        }
        return try await change(call, wishes[0])
    }

    private static func notOneChange(_ names: String) -> Problem {
        Problem(
            faults: [Problem.Fault("", "must have exactly one of \(names)")], code: "not_one_change")
    }

    func cancelSubscription(_ call: APICall) async throws -> Reply {
        try await change(call, call.fields.bool("at_period_end") ? .cancelAtPeriodEnd : .cancelNow)
    }

    func resumeSubscription(_ call: APICall) async throws -> Reply { try await change(call, .resume) }

    func upgradeSubscription(_ call: APICall) async throws -> Reply {
        let (billing, stored) = try await current(call)
        let organization = call.principal.organization
        switch (call.fields.optionalString("plan"), call.fields.optionalID("quote_id")) {
        case (let plan?, nil):
            return try await answer(
                try await billing.store.upgrade(
                    organization, to: plan, expecting: stored.version, by: call.actor), call)
        case (nil, let quote?):
            return try await answer(
                try await billing.store.upgrade(organization, acceptingQuote: quote, by: call.actor), call)
        default:
            throw Self.notOneChange("plan and quote_id")
        }
    }

    func downgradeSubscription(_ call: APICall) async throws -> Reply {
        let (billing, stored) = try await current(call)
        return try await answer(
            try await billing.store.downgrade(
                call.principal.organization, to: call.fields.string("plan"), expecting: stored.version,
                by: call.actor), call)
    }

    func renewSubscription(_ call: APICall) async throws -> Reply {
        let billing = try requireBilling()
        let organization = call.principal.organization
        let former = try await billing.store.subscription(call.id("subscription_id"), of: organization)
        // Where it has not ended there is one, and that is what is said.
        return try await answer(
            try await subscribe(call, to: former.subscription.plan.name), call, status: 201)
    }

    func previewSubscription(_ call: APICall) async throws -> Reply {
        let (billing, _) = try await current(call)
        let (organization, plan) = (call.principal.organization, call.fields.string("plan"))
        let (id, quote) =
            if let stripe = billing.stripe {
                try await stripe.quote(organization, upgradeTo: plan)
            } else {
                try await billing.store.quote(organization, upgradeTo: plan)
            }
        return .json { json in
            json.field("quote_id", id.description)
            json.field("plan", quote.plan.name)
            json.lines(quote.lines)
            json.amount("amount", cents: quote.cents)
            json.field("expires_at", quote.expiresAt.description)
        }
    }

    // MARK: Inside

    /// The one in the path, which must be the present one of the caller's organization.
    private func current(_ call: APICall) async throws -> (BillingServices, StoredSubscription) {
        let billing = try requireBilling()
        let stored = try await billing.store.subscription(
            call.id("subscription_id"), of: call.principal.organization)
        if stored.subscription.status.isEnd { throw SubscriptionConflict.ended.problem }
        return (billing, stored)
    }

    private func change(_ call: APICall, _ wish: SubscriptionWish) async throws -> Reply {
        let (billing, stored) = try await current(call)
        return try await answer(
            try await billing.store.change(
                call.principal.organization, wish, expecting: stored.version, by: call.actor), call)
    }

    /// Asks Stripe first for what is Stripe's to change. Tells all processes: whoever is answered has what they pay for.
    private func answer(
        _ change: BillingStore.Change, _ call: APICall, status: Int = 200
    ) async throws -> Reply {
        var change = change
        if !change.wishes.isEmpty {
            guard let stripe = try requireBilling().stripe else { throw Problem.stripeIsOff }
            change = try await stripe.ask(change)
        }
        if let keyChange = change.keyChange { await identity.announce(keyChange) }
        return .json(status) { json in json.fields(of: change.stored, at: call.now) }
    }
}
