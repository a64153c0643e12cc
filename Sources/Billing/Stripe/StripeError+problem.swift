package import Base
import Stripe

extension StripeError {
    /// For whoever wanted something of Stripe.
    var problem: Problem {
        var problem: Problem =
            switch kind {
            case .card:
                Problem(
                    .paymentRequired, code: "payment_declined",
                    customerMessage ?? "The payment was declined. Use another way to pay.")
            case .rateLimited, .unavailable, .unreachable, .conflict, .cancelled, .notSent, .unreadable:
                Problem(
                    .unavailable, code: "billing_unavailable",
                    "Stripe, which takes the payments here, does not answer as it should. Try again in a moment.",
                    retryAfterSeconds: 5)
            case .refused, .notFound, .unauthorized, .keyReused:
                Problem(
                    .badGateway, code: "payment_service_refused",
                    "Stripe, which takes the payments here, refuses this. Quote the request id to the operator."
                )
            }
        problem.detail = debugDescription
        return problem
    }
}

extension Problem {
    package static let takesPaymentsByHand = Problem(
        .notFound, code: "payments_by_hand",
        "This gateway takes payments by hand: no cards are kept here. Pay as the invoice says, and the operator records it."
    )

    static let noPaymentMethod = Problem(
        .conflict, code: "no_payment_method",
        "There is no card that could be charged. Add one with POST /api/v1/billing/methods first.")

    static let noPauseByStripe = Problem(
        .conflict, code: "subscription_state_conflict",
        "A subscription that is paid by card does not rest. Cancel it at its period's end instead.")

    package static let stripeIsOff = Problem(
        .unavailable, code: "billing_unavailable",
        "The subscription is Stripe's, and this gateway does not speak to Stripe. Its operator sets STRIPE_SECRET_KEY."
    )
}

/// Runs `body`, and says in our words what Stripe does not do.
func asking<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
        return try await body()
    } catch let error as StripeError {
        throw error.problem
    }
}
