package import Base

extension Problem {
    static let planInUse = Problem(
        .conflict, code: "plan_in_use",
        "The plan is or was somebody's, or the one that everybody falls back to. Archive it instead: whoever has it keeps it, and nobody else gets it."
    )

    static let planNotOffered = Problem(
        .unprocessable, code: "plan_not_offered",
        "This plan is not to be had any more, or only by agreement. Choose another, or ask the operator.",
        field: "plan")
}

extension SubscriptionConflict {
    package var problem: Problem {
        var problem = Problem(.conflict, code: "subscription_state_conflict", reason)
        problem.detail = rawValue
        return problem
    }
}

extension Problem {
    static func invoiceIs(_ status: Invoice.Status) -> Problem {
        Problem(
            .conflict, code: "invoice_state_conflict",
            "The invoice is \(status.rawValue), and that cannot be done with it any more.")
    }

    static func tooMuchPaid(_ rest: Int64) -> Problem {
        Problem(
            .unprocessable, code: "payment_exceeds_invoice",
            "The payment is more than what is left to pay, which is \(USCents.text(rest)). Record that, and the rest of it with another invoice.",
            field: "amount")
    }

    static let paymentKnown = Problem(
        .conflict, code: "payment_recorded_already",
        "A payment of this method with this reference is recorded already.", field: "reference")
}
