import Base
import Ledger
import Postgres

/// What happens with an invoice, as the books have it. What was used is there already when it is invoiced.
enum InvoicePosting: String, CaseIterable {
    /// Asked for a plan: it is owed.
    case subscription
    /// Given back of what was asked for a plan: it is not owed.
    case subscriptionReturned = "subscription_returned"
    /// Owed before, and paid.
    case payment
    /// Owed before, and given up.
    case writeOff = "write_off"
    /// Given up before, and paid after all.
    case recovered

    /// From where to where.
    var accounts: (debit: LedgerAccount, credit: LedgerAccount) {
        switch self {
        case .subscription: (.receivable, .subscriptionRevenue)
        case .subscriptionReturned: (.subscriptionRevenue, .receivable)
        case .payment: (.cash, .receivable)
        case .writeOff: (.writeOff, .receivable)
        case .recovered: (.cash, .writeOff)
        }
    }

    /// - Parameter reference: the payment, or else the invoice.
    func post(
        cents: Int64, of organization: UUID, reference: UUID, _ transaction: PostgresTransaction
    ) async throws {
        if cents == 0 { return }
        let (debit, credit) = accounts
        try await Ledger.post(
            [
                LedgerTransfer(
                    of: organization, debit: debit, credit: credit,
                    nanodollars: cents * USCents.nanodollars, reason: rawValue,
                    reference: reference.description)
            ], in: transaction)
    }
}
