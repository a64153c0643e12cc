package import Base
package import Identity
import JSON
import Ledger
import Postgres
import Stripe

/// Money that goes back: refunds, and payments that somebody disputes.
extension StripeBilling {
    // MARK: By an operator

    /// Gives back a payment or a part of it. What its organization has spent of that it owes.
    ///
    /// - Parameter cents: nil: all that is left of it.
    package func refund(_ id: UUID, cents: Int64?, by actor: Actor) async throws {
        let payment = try await payment(id)
        guard payment.status == .succeeded, let intent = payment.stripeID else {
            throw Problem.notRefundable(payment.status)
        }
        try await asking {
            let before = try await refunds(of: intent).filter(\.isTaken).reduce(0) { $0 + $1.amount.cents }
            let left = payment.cents - before
            guard left > 0 else { throw Problem.refundedAlready }
            let wanted = cents ?? left
            guard (1...left).contains(wanted) else { throw Problem.moreThanIsLeft(left) }
            try await note(payment, refunding: wanted, by: actor)
            // Two who want the same at once are answered by one refund.
            _ = try await stripe.refund(
                intent, cents: wanted, metadata: ["payment": id.description],
                key: "refund-\(id)-\(before)-\(wanted)")
            _ = try await reverseRefunds(of: intent)
        }
    }

    private func note(_ payment: StripePayment, refunding cents: Int64, by actor: Actor) async throws {
        var detail = JSONWriter()
        detail.object { json in json.field("cents", Int(cents)) }
        let told = detail.bytes
        try await store.system { transaction in
            try await store.identity.note(
                "payment.refund", on: "payment", payment.id, after: told, in: payment.organization, by: actor,
                transaction)
        }
    }

    private func refunds(of intent: String) async throws(StripeError) -> [StripeRefund] {
        var found: [StripeRefund] = []
        var page = StripePage()
        while true {
            let next = try await stripe.refunds(of: intent, page)
            found += next.elements
            guard next.hasMore, let last = next.elements.last else { return found }
            page.after = last.id
        }
    }

    // MARK: As Stripe tells it

    func reverse(charge id: String) async throws -> StripeCounters.EventOutcome {
        guard let intent = try await stripe.charge(id).paymentIntent else { return .foreign }
        return try await reverseRefunds(of: intent)
    }

    private func reverseRefunds(of intent: String) async throws -> StripeCounters.EventOutcome {
        guard let payment = try await paid(intent) else { return .foreign }
        for refund in try await refunds(of: intent) {
            if refund.isTaken {
                try await take(payment, refund.amount.cents, .refunds, "stripe_refund", refund.id)
            } else if try await isBooked("stripe_refund", refund.id, payment) {
                // Only what was taken comes back.
                try await give(payment, refund.amount.cents, .refunds, "stripe_refund_failed", refund.id)
            }
        }
        return .applied
    }

    func reverse(dispute id: String) async throws -> StripeCounters.EventOutcome {
        let dispute = try await stripe.dispute(id)
        var intent = dispute.paymentIntent
        if intent == nil { intent = try await stripe.charge(dispute.charge).paymentIntent }
        guard let intent, let payment = try await paid(intent) else { return .foreign }
        if dispute.status.isWithdrawn {
            try await take(payment, dispute.amount.cents, .disputes, "dispute", id)
        } else if try await isBooked("dispute", id, payment) {
            try await give(payment, dispute.amount.cents, .disputes, "dispute_won", id)
        }
        return .applied
    }

    /// The payment, with what it has brought in our books: Stripe may tell of a refund before it tells of the payment.
    private func paid(_ intent: String) async throws -> StripePayment? {
        _ = try await settle(try await stripe.paymentIntent(intent))
        return try await store.system(readOnly: true) { transaction in
            try await transaction.query(
                "SELECT \(StripePayment.columns) FROM stripe_payments WHERE stripe_id = \(intent) AND status = 'succeeded'"
            ).first.map { row throws(PostgresError) in try StripePayment(row) }
        }
    }

    // MARK: The books

    /// Once for each reference.
    private func take(
        _ payment: StripePayment, _ cents: Int64, _ account: LedgerAccount, _ reason: String,
        _ reference: String
    ) async throws {
        if try await isBooked(reason, reference, payment) { return }
        let amount = cents * USCents.nanodollars
        if payment.invoice == nil {
            try await once {
                try await wallets.takeBack(
                    payment.organization, by: amount, through: account, reason, reference: reference)
            }
        } else {
            try await post(payment, account, .cash, amount, reason, reference)
        }
        counters.count(account == .refunds ? .refunded : .disputed)
    }

    private func give(
        _ payment: StripePayment, _ cents: Int64, _ account: LedgerAccount, _ reason: String,
        _ reference: String
    ) async throws {
        let amount = cents * USCents.nanodollars
        if payment.invoice == nil {
            try await once {
                try await wallets.giveBack(
                    payment.organization, by: amount, through: account, reason, reference: reference)
            }
        } else {
            try await post(payment, .cash, account, amount, reason, reference)
        }
    }

    private func once(_ book: () async throws -> WalletStore.Change) async throws {
        do {
            await announce(try await book().keyChange)
        } catch let problem as Problem {
            guard problem.code == Problem.bookedAlready.code else { throw problem }
        }
    }

    private func post(
        _ payment: StripePayment, _ debit: LedgerAccount, _ credit: LedgerAccount, _ amount: Int64,
        _ reason: String, _ reference: String
    ) async throws {
        try await store.system { transaction in
            try await Ledger.post(
                [
                    LedgerTransfer(
                        of: payment.organization, debit: debit, credit: credit, nanodollars: amount,
                        reason: reason, reference: reference)
                ], in: transaction)
        }
    }

    private func isBooked(
        _ reason: String, _ reference: String, _ payment: StripePayment
    ) async throws -> Bool {
        try await store.system(readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT EXISTS (SELECT FROM ledger_transfers
                    WHERE org_id = \(payment.organization) AND reason = \(reason) AND reference = \(reference))
                """)[0].decode(Bool.self)
        }
    }
}

extension StripeRefund {
    /// Whether the money is gone, or on its way back.
    fileprivate var isTaken: Bool {
        switch status {
        case .succeeded, .pending, .requiresAction: true
        case .failed, .canceled: false
        }
    }
}

extension Problem {
    fileprivate static func notRefundable(_ status: StripePayment.Status) -> Problem {
        Problem(
            .conflict, code: "payment_state_conflict",
            "The payment is \"\(status.rawValue)\". Only one that succeeded can be given back.")
    }

    fileprivate static let refundedAlready = Problem(
        .conflict, code: "payment_state_conflict", "All of the payment was given back already.")

    fileprivate static func moreThanIsLeft(_ cents: Int64) -> Problem {
        Problem(
            faults: [
                Problem.Fault(
                    "amount.usd", "must be at most \(USCents.text(cents)), what is left of the payment")
            ], code: "invalid_amount")
    }
}
