package import Base

/// What an organization is asked to pay.
package struct Invoice: Equatable, Sendable {
    package var id: UUID
    package var organization: UUID
    package var subscription: UUID?
    /// 1, 2, 3 in each organization, from when it is opened on.
    package var number: Int64?
    package var status: Status
    /// Who is asked, as it was when it was opened: a line each.
    package var billTo: String?
    package var lines: [InvoiceLine]
    package var totalCents: Int64
    package var paidCents: Int64
    package var createdAt: Timestamp
    package var openedAt: Timestamp?
    package var dueAt: Timestamp?
    package var closedAt: Timestamp?

    package enum Status: String, CaseIterable, Sendable {
        case draft, open, paid, void, uncollectible
    }

    package var restCents: Int64 { totalCents - paidCents }
}
