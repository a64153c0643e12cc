import Base
import Billing
import HTTPServer
import HTTPWire
import Identity
import JSON

/// The handlers of `PaymentEndpoints`.
extension Gateway {
    /// Every route that needs Stripe comes by here.
    private func requireStripe() throws(Problem) -> StripeBilling {
        guard let stripe = try requireBilling().stripe else { throw .takesPaymentsByHand }
        return stripe
    }

    // MARK: Cards

    func listPaymentMethods(_ call: APICall) async throws -> Reply {
        Self.reply(try await requireStripe().methods(of: call.principal.organization))
    }

    func addPaymentMethod(_ call: APICall) async throws -> Reply {
        let (id, secret) = try await requireStripe().addMethod(of: call.principal.organization)
        return .json(201) { json in
            json.field("id", id)
            json.field("client_secret", secret.reveal())
        }
    }

    func removePaymentMethod(_ call: APICall) async throws -> Reply {
        try await requireStripe().removeMethod(
            call.text("method_id"), of: call.principal.organization, by: call.actor)
        return .empty()
    }

    func choosePaymentMethod(_ call: APICall) async throws -> Reply {
        Self.reply(
            try await requireStripe().makeDefault(
                call.text("method_id"), of: call.principal.organization, by: call.actor))
    }

    private static func reply(_ methods: [StripeBilling.Method]) -> Reply {
        .json { json in
            json.list(methods) { json, method in
                json.field("id", method.id)
                json.field("brand", method.brand)
                json.field("last_four", method.lastFour)
                json.field("expiry_month", method.expiryMonth)
                json.field("expiry_year", method.expiryYear)
                json.field("default", method.isDefault)
            }
        }
    }

    // MARK: Payments

    func pay(_ call: APICall) async throws -> Reply {
        let stripe = try requireStripe()
        let organization = call.principal.organization
        let method = call.fields.optionalString("method_id")
        let begun: StripeBilling.Begun
        switch (call.fields.optionalID("invoice_id"), call.fields.isPresent("amount")) {
        case (let invoice?, false):
            begun = try await stripe.pay(invoice, of: organization, with: method, by: call.actor)
        case (nil, true):
            let amount = try call.fields.nanodollars("amount", inCents: true)
            begun = try await stripe.topUp(
                organization, cents: amount / USCents.nanodollars, with: method, by: call.actor)
        default:
            throw Problem(
                faults: [Problem.Fault("", "must have exactly one of invoice_id and amount")],
                code: "not_one_purpose")
        }
        return .json(201) { json in
            json.fields(of: begun.payment)
            json.field("client_secret", begun.clientSecret?.reveal())
        }
    }

    func listPayments(of organization: UUID, _ call: APICall) async throws -> Reply {
        let limit = call.query.integer("limit")
        let payments = try await requireStripe().payments(of: organization, limit: limit)
        return .json { json in
            json.list(payments, hasMore: payments.count == limit) { json, one in json.fields(of: one) }
        }
    }

    func refundPayment(_ call: APICall) async throws -> Reply {
        let stripe = try requireStripe()
        let cents =
            call.fields.isPresent("amount")
            ? try call.fields.nanodollars("amount", inCents: true) / USCents.nanodollars : nil
        try await stripe.refund(call.id("payment_id"), cents: cents, by: call.actor)
        return .empty()
    }

    // MARK: Wallets that are filled by themselves

    func showAutoTopUp(_ call: APICall) async throws -> Reply {
        guard let found = try await requireStripe().autoTopUp(of: call.principal.organization) else {
            throw Problem.notFound("automatic top-up")
        }
        return .json { json in
            json.amount("threshold", found.threshold)
            json.amount("amount", cents: found.cents)
            json.amount("monthly_maximum", cents: found.monthlyCents)
            json.field("failures", found.failures)
            json.field("next_attempt_at", found.nextAttemptAt?.description)
        }
    }

    func setAutoTopUp(_ call: APICall) async throws -> Reply {
        let stripe = try requireStripe()
        let wish = AutoTopUp(
            threshold: try call.fields.nanodollars("threshold"),
            cents: try call.fields.nanodollars("amount", inCents: true) / USCents.nanodollars,
            monthlyCents: try call.fields.nanodollars("monthly_maximum", inCents: true) / USCents.nanodollars)
        try await stripe.setAutoTopUp(wish, of: call.principal.organization, by: call.actor)
        return try await showAutoTopUp(call)
    }

    func endAutoTopUp(_ call: APICall) async throws -> Reply {
        try await requireStripe().setAutoTopUp(nil, of: call.principal.organization, by: call.actor)
        return .empty()
    }

    // MARK: Webhooks

    /// The signature is over the bytes as they came.
    func takeStripeWebhook(_ exchange: Exchange) async throws {
        exchange.responseFields.append("X-Request-Id", exchange.id)
        let stripe = try requireStripe()
        let signature = exchange.request.fields["stripe-signature"].map {
            String(decoding: $0, as: UTF8.self)
        }
        try await stripe.take(try await exchange.body(), signature: signature)
        exchange.respond(200)
    }
}

extension JSONWriter {
    fileprivate mutating func fields(of payment: StripePayment) {
        field("id", payment.id.description)
        field("kind", payment.kind.rawValue)
        field("invoice_id", payment.invoice?.description)
        amount("amount", cents: payment.cents)
        field("status", payment.status.rawValue)
        field("failure", payment.failure)
        field("created_at", payment.createdAt.description)
        field("ended_at", payment.endedAt?.description)
    }
}
