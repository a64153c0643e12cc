package import Base
package import Postgres

/// What billing needs of the books.
package struct BillingLedger: Sendable {
    /// How an organization stands. Until the transaction ends nobody else changes that.
    package var standing: @Sendable (UUID, PostgresTransaction) async throws -> Standing
    /// Writes down what happened with an invoice, in the transaction in which it did.
    package var post: @Sendable (Posting, PostgresTransaction) async throws -> Void

    package struct Standing: Equatable, Sendable {
        /// By the organization, for use as for invoices; less than 0: to the organization.
        package var owedNanodollars: Int64
        /// What the platform has ever earned by its use, and by commission on it.
        package var usageNanodollars: Int64
        package var commissionNanodollars: Int64

        package init(owedNanodollars: Int64, usageNanodollars: Int64, commissionNanodollars: Int64) {
            self.owedNanodollars = owedNanodollars
            self.usageNanodollars = usageNanodollars
            self.commissionNanodollars = commissionNanodollars
        }
    }

    package struct Posting: Equatable, Sendable {
        package var kind: Kind
        package var organization: UUID
        /// The payment, or else the invoice: what is said of it once is said once.
        package var reference: UUID
        /// Greater than 0.
        package var cents: Int64

        package enum Kind: String, CaseIterable, Sendable {
            /// Invoiced for a plan: it is owed.
            case subscription
            /// Given back of what was invoiced for a plan: it is not owed.
            case subscriptionReturned = "subscription_returned"
            /// Owed before, and paid.
            case payment
            /// Owed before, and given up.
            case writeOff = "write_off"
            /// Given up before, and paid after all.
            case recovered

            /// From which account to which.
            package var accounts: (debit: String, credit: String) {
                switch self {
                case .subscription: ("receivable", "subscription_revenue")
                case .subscriptionReturned: ("subscription_revenue", "receivable")
                case .payment: ("cash", "receivable")
                case .writeOff: ("write_off", "receivable")
                case .recovered: ("cash", "write_off")
                }
            }
        }
    }

    package init(
        standing: @escaping @Sendable (UUID, PostgresTransaction) async throws -> Standing,
        post: @escaping @Sendable (Posting, PostgresTransaction) async throws -> Void
    ) {
        self.standing = standing
        self.post = post
    }

    /// That of the database.
    package static let live = BillingLedger(
        standing: { organization, transaction in
            // All of them, in the order in which whoever books takes them.
            let balances = try await transaction.query(
                """
                SELECT kind, balance_nano FROM ledger_accounts WHERE org_id = \(organization)
                ORDER BY org_id, kind FOR NO KEY UPDATE
                """
            ).decode((String, Int64).self)
            func balance(_ kind: String) -> Int64 { balances.first { $0.0 == kind }?.1 ?? 0 }
            return Standing(
                owedNanodollars: -balance("receivable"), usageNanodollars: balance("usage_revenue"),
                commissionNanodollars: balance("commission_revenue"))
        },
        post: { posting, transaction in
            let (debit, credit) = posting.kind.accounts
            try await transaction.execute(
                """
                INSERT INTO ledger_transfers (id, org_id, debit, credit, amount_nano, reason, reference)
                VALUES (\(UUID.make()), \(posting.organization), \(debit), \(credit),
                    \(posting.cents * USCents.nanodollars), \(posting.kind.rawValue), \(posting.reference.description))
                """)
        })
}
