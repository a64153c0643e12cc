import Base
import Ledger
import Postgres
import Stripe

/// Money that goes back: refunds, and payments that somebody disputes.
extension StripeBilling {
    func reverse(charge id: String) async throws -> StripeCounters.EventOutcome {
        guard let intent = try await stripe.charge(id).paymentIntent else { return .foreign }
        return try await reverseRefunds(of: intent)
    }

    private func reverseRefunds(of intent: String) async throws -> StripeCounters.EventOutcome {
        guard let payment = try await paid(intent) else { return .foreign }
        for refund in try await stripe.refunds(of: intent).elements {
            switch refund.status {
            case .succeeded, .pending, .requiresAction:
                try await take(payment, refund.amount.cents, .refunds, "stripe_refund", refund.id)
            case .failed, .canceled:
                // Only what was taken comes back.
                guard try await isBooked("stripe_refund", refund.id, payment) else { continue }
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
