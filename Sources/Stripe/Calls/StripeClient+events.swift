package import Base

extension StripeClient {
    package func event(_ id: String) async throws(StripeError) -> StripeEvent {
        try await fetch("/v1/events/\(Self.segment(id))")
    }

    /// What happened since `moment`, for whoever has missed webhooks. Stripe keeps events for 30 days.
    package func events(
        since moment: Timestamp, _ page: StripePage = StripePage()
    ) async throws(StripeError) -> StripeList<StripeEvent> {
        try await fetch(
            "/v1/events", page.form.adding(["created": .object(["gte": .number(moment.seconds)])]))
    }

    /// Reports usage to a meter of that name.
    ///
    /// - Parameter identifier: of what is reported: a second report of it within a day is refused.
    package func reportUsage(
        _ name: String, of customer: String, _ quantity: UInt64, identifier: String, at moment: Timestamp,
        key: String
    ) async throws(StripeError) -> StripeMeterEvent {
        try await post(
            "/v1/billing/meter_events",
            [
                "event_name": .text(name),
                "payload": .object(["stripe_customer_id": .text(customer), "value": .text("\(quantity)")]),
                "identifier": .text(identifier), "timestamp": .number(moment.seconds),
            ], key: key)
    }
}
