package import Base
import Postgres

/// A payment by Stripe, from the wish for it to its end.
package struct StripePayment: Equatable, Sendable {
    package var id: UUID
    package var organization: UUID
    package var kind: Kind
    package var invoice: UUID?
    package var cents: Int64
    /// What is charged at once, while nobody is there.
    package var method: String?
    /// Its intent; nil: Stripe has not answered yet.
    package var stripeID: String?
    package var status: Status
    /// Why it was declined last.
    package var failure: String?
    package var createdAt: Timestamp
    package var endedAt: Timestamp?

    package enum Kind: String, CaseIterable, Sendable {
        case topUp = "top_up"
        case autoTopUp = "auto_top_up"
        case invoice
        /// An invoice of ours that is charged by itself.
        case collection
        /// One that Stripe has made by itself, for an invoice of its own.
        case subscription
    }

    /// Whether it is charged while nobody is there.
    var isAutomatic: Bool { kind == .autoTopUp || kind == .collection }

    package enum Status: String, CaseIterable, Sendable {
        /// Stripe has not answered yet.
        case requested
        case requiresPaymentMethod = "requires_payment_method"
        case requiresConfirmation = "requires_confirmation"
        case requiresAction = "requires_action"
        case requiresCapture = "requires_capture"
        case processing, canceled, succeeded
        /// Declined, and not tried again.
        case failed

        package var isEnd: Bool { self == .canceled || self == .succeeded || self == .failed }
    }

    init(_ kind: Kind, of organization: UUID, invoice: UUID? = nil, cents: Int64, at now: Timestamp) {
        id = .make(at: now)
        self.organization = organization
        self.kind = kind
        self.invoice = invoice
        self.cents = cents
        status = .requested
        createdAt = now
    }
}

extension StripePayment {
    static let columns: SQL =
        "id, org_id, kind, invoice_id, cents, method, stripe_id, status, failure, created_at, ended_at"

    init(_ row: PostgresRow) throws(PostgresError) {
        guard let kind = Kind(rawValue: try row.decode(String.self, "kind")),
            let status = Status(rawValue: try row.decode(String.self, "status"))
        else { throw PostgresError(.decoding, "a payment that this program does not know") }
        id = try row.decode(UUID.self, "id")
        organization = try row.decode(UUID.self, "org_id")
        self.kind = kind
        invoice = try row.decode(UUID?.self, "invoice_id")
        cents = try row.decode(Int64.self, "cents")
        method = try row.decode(String?.self, "method")
        stripeID = try row.decode(String?.self, "stripe_id")
        self.status = status
        failure = try row.decode(String?.self, "failure")
        createdAt = try row.decode(Timestamp.self, "created_at")
        endedAt = try row.decode(Timestamp?.self, "ended_at")
    }

    var insertion: SQL {
        """
        INSERT INTO stripe_payments (id, org_id, kind, invoice_id, cents, method, stripe_id, status, created_at, ended_at)
        VALUES (\(id), \(organization), \(kind.rawValue), \(invoice), \(cents), \(method), \(stripeID),
            \(status.rawValue), \(createdAt), \(endedAt))
        """
    }
}
