extension StripeClient {
    package func createCustomer(
        email: String?, name: String?, metadata: [String: String], key: String
    ) async throws(StripeError) -> StripeCustomer {
        try await post(
            "/v1/customers",
            [
                "email": email.map(StripeForm.Parameter.text), "name": name.map(StripeForm.Parameter.text),
                "metadata": .object(StripeForm(metadata)),
            ], key: key)
    }

    package func customer(_ id: String) async throws(StripeError) -> StripeCustomer {
        try await fetch("/v1/customers/\(Self.segment(id))")
    }

    /// What invoices are paid with from now on. It must be attached.
    package func setDefaultPaymentMethod(
        of customer: String, to paymentMethod: String, key: String
    ) async throws(StripeError) -> StripeCustomer {
        try await post(
            "/v1/customers/\(Self.segment(customer))",
            ["invoice_settings": .object(["default_payment_method": .text(paymentMethod)])], key: key)
    }

    // MARK: Payment methods

    /// The customer's cards.
    package func cards(
        of customer: String, _ page: StripePage = StripePage()
    ) async throws(StripeError) -> StripeList<StripePaymentMethod> {
        try await fetch(
            "/v1/payment_methods", page.form.adding(["customer": .text(customer), "type": .text("card")]))
    }

    package func attach(
        _ paymentMethod: String, to customer: String, key: String
    ) async throws(StripeError) -> StripePaymentMethod {
        try await post(
            "/v1/payment_methods/\(Self.segment(paymentMethod))/attach", ["customer": .text(customer)],
            key: key)
    }

    package func detach(
        _ paymentMethod: String, key: String
    ) async throws(StripeError) -> StripePaymentMethod {
        try await post("/v1/payment_methods/\(Self.segment(paymentMethod))/detach", key: key)
    }
}
