extension StripeClient {
    // MARK: Setup intents

    /// For a card that is to be kept, and charged while its owner is not there.
    package func createSetupIntent(
        for customer: String, metadata: [String: String], key: String
    ) async throws(StripeError) -> StripeSetupIntent {
        try await post(
            "/v1/setup_intents",
            [
                "customer": .text(customer), "usage": .text("off_session"),
                "payment_method_types": .list([.text("card")]), "metadata": .object(StripeForm(metadata)),
            ], key: key)
    }

    package func setupIntent(_ id: String) async throws(StripeError) -> StripeSetupIntent {
        try await fetch("/v1/setup_intents/\(Self.segment(id))")
    }

    // MARK: Payment intents

    /// A payment that the browser, or `confirm`, will confirm. With `isOffSession` it is made at once, while nobody is there:
    /// that needs a payment method, and a decline is an error of kind `card`.
    package func createPaymentIntent(
        _ amount: StripeAmount, of customer: String, with paymentMethod: String? = nil,
        isOffSession: Bool = false, metadata: [String: String], key: String
    ) async throws(StripeError) -> StripePaymentIntent {
        let atOnce: StripeForm = isOffSession ? ["confirm": .flag(true), "off_session": .flag(true)] : [:]
        let form: StripeForm = [
            "amount": .number(amount.cents), "currency": .text(amount.currency), "customer": .text(customer),
            "payment_method": paymentMethod.map(StripeForm.Parameter.text),
            "payment_method_types": .list([.text("card")]), "metadata": .object(StripeForm(metadata)),
        ]
        return try await post("/v1/payment_intents", form.adding(atOnce), key: key)
    }

    package func paymentIntent(_ id: String) async throws(StripeError) -> StripePaymentIntent {
        try await fetch("/v1/payment_intents/\(Self.segment(id))")
    }

    /// - Parameter paymentMethod: what to pay with, where the intent has none or another.
    package func confirmPaymentIntent(
        _ id: String, with paymentMethod: String? = nil, key: String
    ) async throws(StripeError) -> StripePaymentIntent {
        try await post(
            "/v1/payment_intents/\(Self.segment(id))/confirm",
            ["payment_method": paymentMethod.map(StripeForm.Parameter.text)], key: key)
    }

    package func cancelPaymentIntent(
        _ id: String, key: String
    ) async throws(StripeError) -> StripePaymentIntent {
        try await post("/v1/payment_intents/\(Self.segment(id))/cancel", key: key)
    }

    // MARK: Refunds

    /// - Parameter cents: `nil` for all that is left of the payment.
    package func refund(
        _ paymentIntent: String, cents: Int64? = nil, metadata: [String: String], key: String
    ) async throws(StripeError) -> StripeRefund {
        try await post(
            "/v1/refunds",
            [
                "payment_intent": .text(paymentIntent), "amount": cents.map(StripeForm.Parameter.number),
                "metadata": .object(StripeForm(metadata)),
            ], key: key)
    }

    package func refunds(
        of paymentIntent: String, _ page: StripePage = StripePage()
    ) async throws(StripeError) -> StripeList<StripeRefund> {
        try await fetch("/v1/refunds", page.form.adding(["payment_intent": .text(paymentIntent)]))
    }

    // MARK: What has become of money

    package func charge(_ id: String) async throws(StripeError) -> StripeCharge {
        try await fetch("/v1/charges/\(Self.segment(id))")
    }

    package func dispute(_ id: String) async throws(StripeError) -> StripeDispute {
        try await fetch("/v1/disputes/\(Self.segment(id))")
    }
}
