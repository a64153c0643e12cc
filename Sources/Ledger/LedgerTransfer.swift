package import Base

/// Money that goes from one account of an organization to another.
package struct LedgerTransfer: Equatable, Sendable {
    package var id: UUID
    package var organization: UUID
    /// From where.
    package var debit: LedgerAccount
    /// To where.
    package var credit: LedgerAccount
    /// More than nothing.
    package var nanodollars: Int64
    /// What kind of thing it is: `top_up`, `refund`, `subscription`.
    package var reason: String
    /// What it is for, where there is such a thing: with the reason and the accounts it is booked once.
    package var reference: String?

    package init(
        id: UUID = .make(), of organization: UUID, debit: LedgerAccount, credit: LedgerAccount,
        nanodollars: Int64, reason: String, reference: String?
    ) {
        self.id = id
        self.organization = organization
        self.debit = debit
        self.credit = credit
        self.nanodollars = nanodollars
        self.reason = reason
        self.reference = reference
    }
}
