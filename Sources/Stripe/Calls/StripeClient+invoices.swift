package import Base

extension StripeClient {
    package func invoice(_ id: String) async throws(StripeError) -> StripeInvoice {
        try await fetch("/v1/invoices/\(Self.segment(id))")
    }

    package func invoices(
        of customer: String, subscription: String? = nil, _ page: StripePage = StripePage()
    ) async throws(StripeError) -> StripeList<StripeInvoice> {
        try await fetch(
            "/v1/invoices",
            page.form.adding([
                "customer": .text(customer), "subscription": subscription.map(StripeForm.Parameter.text),
            ]))
    }

    /// Tries once more to collect it.
    package func pay(_ invoice: String, key: String) async throws(StripeError) -> StripeInvoice {
        try await post("/v1/invoices/\(Self.segment(invoice))/pay", key: key)
    }

    package func void(_ invoice: String, key: String) async throws(StripeError) -> StripeInvoice {
        try await post("/v1/invoices/\(Self.segment(invoice))/void", key: key)
    }

    /// What the next invoice will be.
    package func upcomingInvoice(
        of customer: String, subscription: String
    ) async throws(StripeError) -> StripeInvoicePreview {
        try await ask(
            "/v1/invoices/create_preview",
            ["customer": .text(customer), "subscription": .text(subscription)])
    }

    /// What a change of plan at `moment` would cost. `changePlan` with the same moment costs the same.
    package func previewChange(
        of customer: String, subscription: String, item: String, to plan: String,
        _ proration: StripeProration, at moment: Timestamp
    ) async throws(StripeError) -> StripeInvoicePreview {
        try await ask(
            "/v1/invoices/create_preview",
            [
                "customer": .text(customer), "subscription": .text(subscription),
                "subscription_details": .object([
                    "items": .list([.object(["id": .text(item), "plan": .text(plan)])]),
                    "proration_behavior": .text(proration.rawValue),
                    "proration_date": .number(moment.seconds),
                ]),
            ])
    }
}
