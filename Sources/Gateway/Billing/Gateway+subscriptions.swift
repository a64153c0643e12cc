import Base
import Billing
import Identity
import JSON

/// The handlers of `SubscriptionEndpoints`.
extension Gateway {
    func subscribe(_ call: APICall) async throws -> Reply {
        let billing = try requireBilling()
        let change = try await billing.store.subscribe(
            call.principal.organization, to: call.fields.string("plan"),
            call.fields.bool("prepaid") ? .prepaid : nil, by: call.actor)
        return await answer(change, call, status: 201)
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
            return await answer(
                try await billing.store.upgrade(
                    organization, to: plan, expecting: stored.version, by: call.actor), call)
        case (nil, let quote?):
            return await answer(
                try await billing.store.upgrade(organization, acceptingQuote: quote, by: call.actor), call)
        default:
            throw Self.notOneChange("plan and quote_id")
        }
    }

    func downgradeSubscription(_ call: APICall) async throws -> Reply {
        let (billing, stored) = try await current(call)
        return await answer(
            try await billing.store.downgrade(
                call.principal.organization, to: call.fields.string("plan"), expecting: stored.version,
                by: call.actor), call)
    }

    func renewSubscription(_ call: APICall) async throws -> Reply {
        let billing = try requireBilling()
        let organization = call.principal.organization
        let former = try await billing.store.subscription(call.id("subscription_id"), of: organization)
        // Where it has not ended there is one, and that is what is said.
        return await answer(
            try await billing.store.subscribe(
                organization, to: former.subscription.plan.name, by: call.actor), call, status: 201)
    }

    func previewSubscription(_ call: APICall) async throws -> Reply {
        let (billing, _) = try await current(call)
        let (id, quote) = try await billing.store.quote(
            call.principal.organization, upgradeTo: call.fields.string("plan"))
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
        return await answer(
            try await billing.store.change(
                call.principal.organization, wish, expecting: stored.version, by: call.actor), call)
    }

    /// Tells all processes first: whoever is answered has what they pay for.
    private func answer(
        _ change: BillingStore.Change, _ call: APICall, status: Int = 200
    ) async -> Reply {
        if let keyChange = change.keyChange { await identity.announce(keyChange) }
        return .json(status) { json in json.fields(of: change.stored, at: call.now) }
    }
}
