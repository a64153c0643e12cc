package import Base

extension StripeClient {
    // MARK: Products and plans

    /// - Parameter id: ours, so that there is one of it however often it is created.
    package func createProduct(
        _ id: String, name: String, metadata: [String: String], key: String
    ) async throws(StripeError) -> StripeProduct {
        try await post(
            "/v1/products",
            ["id": .text(id), "name": .text(name), "metadata": .object(StripeForm(metadata))], key: key)
    }

    package func product(_ id: String) async throws(StripeError) -> StripeProduct {
        try await fetch("/v1/products/\(Self.segment(id))")
    }

    package func createPlan(
        _ id: String, of product: String, _ amount: StripeAmount, every interval: StripePlan.Interval,
        metadata: [String: String], key: String
    ) async throws(StripeError) -> StripePlan {
        try await post(
            "/v1/plans",
            [
                "id": .text(id), "product": .text(product), "amount": .number(amount.cents),
                "currency": .text(amount.currency), "interval": .text(interval.rawValue),
                "metadata": .object(StripeForm(metadata)),
            ], key: key)
    }

    package func plan(_ id: String) async throws(StripeError) -> StripePlan {
        try await fetch("/v1/plans/\(Self.segment(id))")
    }

    // MARK: Subscriptions

    package func createSubscription(
        of customer: String, to plan: String, trialDays: Int64? = nil,
        _ behavior: StripePaymentBehavior = .defaultIncomplete, metadata: [String: String], key: String
    ) async throws(StripeError) -> StripeSubscription {
        try await post(
            "/v1/subscriptions",
            [
                "customer": .text(customer), "items": .list([.object(["plan": .text(plan)])]),
                "trial_period_days": trialDays.map(StripeForm.Parameter.number),
                "payment_behavior": .text(behavior.rawValue), "metadata": .object(StripeForm(metadata)),
            ], key: key)
    }

    package func subscription(_ id: String) async throws(StripeError) -> StripeSubscription {
        try await fetch("/v1/subscriptions/\(Self.segment(id))")
    }

    /// - Parameter prorationMoment: that of a preview, so that what is charged is what was quoted.
    package func changePlan(
        of subscription: String, item: String, to plan: String, _ proration: StripeProration,
        at prorationMoment: Timestamp? = nil, _ behavior: StripePaymentBehavior = .errorIfIncomplete,
        key: String
    ) async throws(StripeError) -> StripeSubscription {
        try await post(
            "/v1/subscriptions/\(Self.segment(subscription))",
            [
                "items": .list([.object(["id": .text(item), "plan": .text(plan)])]),
                "proration_behavior": .text(proration.rawValue),
                "proration_date": prorationMoment.map { .number($0.seconds) },
                "payment_behavior": .text(behavior.rawValue),
            ], key: key)
    }

    package func cancelAtPeriodEnd(
        _ subscription: String, key: String
    ) async throws(StripeError) -> StripeSubscription {
        try await setCancel(of: subscription, true, key: key)
    }

    /// Takes back `cancelAtPeriodEnd`, until then.
    package func resume(
        _ subscription: String, key: String
    ) async throws(StripeError) -> StripeSubscription {
        try await setCancel(of: subscription, false, key: key)
    }

    private func setCancel(
        of subscription: String, _ isAtPeriodEnd: Bool, key: String
    ) async throws(StripeError) -> StripeSubscription {
        try await post(
            "/v1/subscriptions/\(Self.segment(subscription))", ["cancel_at_period_end": .flag(isAtPeriodEnd)],
            key: key)
    }

    /// Ends it at once, for good and without a refund. One that has ended stays as it is.
    package func cancelNow(_ subscription: String) async throws(StripeError) -> StripeSubscription {
        do throws(StripeError) {
            return try await delete("/v1/subscriptions/\(Self.segment(subscription))")
        } catch {
            guard error.kind == .notFound else { throw error }
            // Stripe does not find it where it has ended, be it by an attempt of ours whose answer was lost.
            let found = try await self.subscription(subscription)
            guard found.status.isFinal else { throw error }
            return found
        }
    }
}
