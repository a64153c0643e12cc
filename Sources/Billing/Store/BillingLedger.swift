package import Base
package import Postgres

/// What billing needs of the books.
package struct BillingLedger: Sendable {
    /// All that the calls of an organization have ever come to that is to be invoiced, as of now. It only grows.
    package var used: @Sendable (UUID, PostgresTransaction) async throws -> Used
    /// Writes down what happened with an invoice, in the transaction in which it did.
    package var post: @Sendable (Posting, PostgresTransaction) async throws -> Void

    package struct Used: Equatable, Sendable {
        package var usageNanodollars: Int64
        package var commissionNanodollars: Int64

        package init(usageNanodollars: Int64 = 0, commissionNanodollars: Int64 = 0) {
            self.usageNanodollars = usageNanodollars
            self.commissionNanodollars = commissionNanodollars
        }
    }

    package struct Posting: Equatable, Sendable {
        package var kind: Kind
        package var organization: UUID
        package var invoice: UUID
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
            /// Paid although it was given up.
            case recovered
        }
    }

    package init(
        used: @escaping @Sendable (UUID, PostgresTransaction) async throws -> Used,
        post: @escaping @Sendable (Posting, PostgresTransaction) async throws -> Void
    ) {
        self.used = used
        self.post = post
    }

    /// Without books: nothing is used, and nothing written down.
    package static let none = BillingLedger(used: { _, _ in Used() }, post: { _, _ in })
}
