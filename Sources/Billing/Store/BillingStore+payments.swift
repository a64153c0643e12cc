package import Base
package import Identity
import JSON
import Postgres

extension BillingStore {
    /// Money that has come in for an invoice.
    package struct Payment: Equatable, Sendable {
        package var cents: Int64
        /// `bank_transfer`
        package var method: String
        /// What names it there: no two payments of a method have the same.
        package var reference: String
        package var paidAt: Timestamp

        package init(cents: Int64, method: String, reference: String, paidAt: Timestamp) {
            self.cents = cents
            self.method = method
            self.reference = reference
            self.paidAt = paidAt
        }

        var faults: [Problem.Fault] {
            var faults: [Problem.Fault] = []
            if cents <= 0 { faults.append(Problem.Fault("amount", "must be more than 0")) }
            for (name, text, most) in [("method", method, 50), ("reference", reference, 200)]
            where !(1...most).contains(text.unicodeScalars.count) || text.utf8.contains(0) {
                faults.append(Problem.Fault(name, "must have 1 to \(most) characters"))
            }
            return faults
        }
    }

    /// Records a payment. When all of the invoice is paid its subscription goes on as if it had been in time.
    package func record(
        _ payment: Payment, for invoice: UUID, of organization: UUID, by actor: Actor
    ) async throws -> InvoiceChange {
        if !payment.faults.isEmpty { throw Problem(faults: payment.faults, code: "invalid_payment") }
        let now = time.timestamp()
        do {
            return try await withInvoice(invoice, of: organization, by: actor, at: now, "invoice.settled") {
                transaction, invoice in
                try await record(payment, for: invoice, by: actor, at: now, transaction)
            }
        } catch let error as PostgresError {
            if case .uniqueViolation(let constraint) = error.kind,
                constraint == "invoice_payments_org_id_method_reference_key"
            {
                throw Problem.paymentKnown
            }
            throw error
        }
    }

    /// In a transaction that has the invoice to itself.
    func record(
        _ payment: Payment, for invoice: Invoice, by actor: Actor, at now: Timestamp,
        _ transaction: PostgresTransaction
    ) async throws {
        guard invoice.status == .open || invoice.status == .uncollectible else {
            throw Problem.invoiceIs(invoice.status)
        }
        guard payment.cents <= invoice.restCents else { throw Problem.tooMuchPaid(invoice.restCents) }
        let organization = invoice.organization
        let id = UUID.make(at: now)
        let isLast = payment.cents == invoice.restCents
        try await transaction.pipeline([
            """
            INSERT INTO invoice_payments (id, invoice_id, org_id, cents, method, reference, recorded_by, paid_at)
            VALUES (\(id), \(invoice.id), \(organization), \(payment.cents),
                \(payment.method), \(payment.reference), \(actor.user), \(payment.paidAt))
            """,
            """
            UPDATE invoices SET paid_cents = paid_cents + \(payment.cents),
                status = CASE WHEN \(isLast) THEN 'paid' ELSE status END,
                closed_at = CASE WHEN \(isLast) THEN \(now) ELSE closed_at END
            WHERE id = \(invoice.id)
            """,
        ])
        if isLast, invoice.status == .open {
            try await WalletStore.settleOverspent(invoice.usageNanodollars, of: organization, transaction)
        }
        let posting: InvoicePosting = invoice.status == .open ? .payment : .recovered
        try await posting.post(cents: payment.cents, of: organization, reference: id, transaction)
        var json = JSONWriter()
        json.object { $0.fields(of: payment) }
        try await identity.note(
            "invoice.payment", on: "invoice", invoice.id, after: json.bytes, in: organization,
            by: actor, transaction)
        let kind = isLast ? "invoice.paid" : "invoice.paid_in_part"
        try await note(invoice, kind, at: now, transaction) { $0.fields(of: payment) }
    }
}

extension JSONWriter {
    fileprivate mutating func fields(of payment: BillingStore.Payment) {
        field("cents", Int(payment.cents))
        field("method", payment.method)
        field("reference", payment.reference)
    }
}
