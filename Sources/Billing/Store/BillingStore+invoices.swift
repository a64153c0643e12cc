package import Base
package import Identity
import Postgres

extension BillingStore {
    /// What has become of an invoice. Whoever changed it announces `keyChange` before they answer.
    package struct InvoiceChange: Equatable, Sendable {
        package var invoice: Invoice
        package var keyChange: KeyChange?
    }

    /// Of an organization, the latest first.
    package func invoices(
        of organization: UUID, before last: UUID? = nil, limit: Int
    ) async throws -> [Invoice] {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await Self.invoices(
                """
                org_id = \(organization)
                    AND (\(last)::uuid IS NULL OR sequence < (SELECT sequence FROM invoices WHERE id = \(last)))
                ORDER BY sequence DESC LIMIT \(limit)
                """, transaction)
        }
    }

    package func invoice(_ id: UUID, of organization: UUID) async throws -> Invoice {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await Self.invoice(id, organization, transaction)
        }
    }

    /// Who is asked to pay from the next invoice on: name, address, tax number, a line each.
    package func setBillTo(_ text: String?, of organization: UUID) async throws {
        if let text, text.unicodeScalars.count > 2000 || text.utf8.contains(0) {
            throw Problem(faults: [Problem.Fault("bill_to", "must have at most 2000 characters, and no NUL")])
        }
        try await system { transaction in
            try await Self.openAccount(of: organization, transaction)
            try await transaction.execute(
                "UPDATE billing_accounts SET bill_to = \(text) WHERE org_id = \(organization)")
        }
    }

    // MARK: For the operator

    /// Whosever it is.
    package func invoice(ofAny id: UUID) async throws -> Invoice {
        try await system(readOnly: true) { transaction in
            let rows = try await transaction.query("SELECT org_id FROM invoices WHERE id = \(id)")
            guard let row = rows.first else { throw Problem.notFound("invoice") }
            return try await Self.invoice(id, try row.decode(UUID.self), transaction)
        }
    }

    /// Positions of an invoice that is not a subscription's.
    package static let mostLines = 100

    package func draft(_ lines: [InvoiceLine], for organization: UUID) async throws -> Invoice {
        var faults: [Problem.Fault] = []
        if !(1...Self.mostLines).contains(lines.count) {
            faults.append(Problem.Fault("lines", "must be 1 to \(Self.mostLines)"))
        }
        for (index, line) in lines.prefix(Self.mostLines).enumerated() {
            if !(1...500).contains(line.text.unicodeScalars.count) || line.text.utf8.contains(0) {
                faults.append(Problem.Fault("lines[\(index)].text", "must have 1 to 500 characters"))
            }
            if line.cents.magnitude > UInt64(SubscribedPlan.mostCents) {
                faults.append(
                    Problem.Fault("lines[\(index)].cents", "must be at most \(SubscribedPlan.mostCents)"))
            }
            if line.kind != .subscription, line.kind != .proration {
                faults.append(Problem.Fault("lines[\(index)].kind", "must be subscription or proration"))
            }
        }
        if faults.isEmpty, !(0...SubscribedPlan.mostCents).contains(lines.reduce(0) { $0 + $1.cents }) {
            faults.append(
                Problem.Fault("lines", "must come to between 0 and \(SubscribedPlan.mostCents) cents"))
        }
        if !faults.isEmpty { throw Problem(faults: faults, code: "invalid_invoice") }
        let now = time.timestamp()
        do {
            return try await system { transaction in
                let id = try await Self.draft(lines, organization, subscription: nil, at: now, transaction)
                return try await Self.invoice(id, organization, transaction)
            }
        } catch let error as PostgresError {
            if case .foreignKeyViolation = error.kind { throw Problem.notFound("organization") }
            throw error
        }
    }

    package func open(
        _ id: UUID, of organization: UUID, by actor: Actor = .command
    ) async throws -> Invoice {
        let now = time.timestamp()
        return try await system { transaction in
            try await Self.openAccount(of: organization, transaction)
            let invoice = try await Self.invoice(id, organization, forUpdate: true, transaction)
            guard invoice.status == .draft else { throw Problem.invoiceIs(invoice.status) }
            try await open(invoice, due: now + Subscription.Terms.payment, at: now, transaction)
            try await identity.note(
                "invoice.open", on: "invoice", id, in: organization, by: actor, transaction)
            return try await Self.invoice(id, organization, transaction)
        }
    }

    /// Asks an organization now for what it has used, as its subscription does when a period ends; nil: that is less than a
    /// cent.
    package func invoiceUsage(of organization: UUID) async throws -> Invoice? {
        let now = time.timestamp()
        return try await system { transaction in
            let id = try await invoice(
                organization, nil, [], due: now + Subscription.Terms.payment, withUsage: true, at: now,
                transaction)
            guard let id else { return nil }
            return try await Self.invoice(id, organization, transaction)
        }
    }

    /// As if it had never been sent: what was used is invoiced again, what was the customer's is theirs again.
    package func void(_ id: UUID, of organization: UUID, by actor: Actor) async throws -> InvoiceChange {
        try await close(id, of: organization, as: .void, by: actor)
    }

    /// Nobody expects any more that it is paid.
    package func giveUp(_ id: UUID, of organization: UUID, by actor: Actor) async throws -> InvoiceChange {
        try await close(id, of: organization, as: .uncollectible, by: actor)
    }

    private func close(
        _ id: UUID, of organization: UUID, as status: Invoice.Status, by actor: Actor
    ) async throws -> InvoiceChange {
        let now = time.timestamp()
        return try await withInvoice(id, of: organization, by: actor, at: now, "invoice.closed") {
            transaction, invoice in
            let isPossible = invoice.status == .open || invoice.status == .draft && status == .void
            guard isPossible, invoice.paidCents == 0 || status == .uncollectible else {
                throw Problem.invoiceIs(invoice.status)
            }
            try await close(invoice, as: status, at: now, transaction)
            try await identity.note(
                "invoice.\(status.rawValue)", on: "invoice", invoice.id, in: organization, by: actor,
                transaction)
        }
    }

    /// Runs `body` with the invoice locked, and then tells its subscription what is owed.
    func withInvoice(
        _ id: UUID, of organization: UUID, by actor: Actor, at now: Timestamp, _ kind: String,
        _ body: (PostgresTransaction, Invoice) async throws -> Void
    ) async throws -> InvoiceChange {
        try await system { transaction in
            let seen = try await Self.invoice(id, organization, transaction)
            // The subscription before the account, the account before the invoice: as everywhere.
            let stored =
                if let subscription = seen.subscription {
                    try await Self.claim(subscription, transaction)
                } else { StoredSubscription?.none }
            try await Self.openAccount(of: organization, transaction)
            try await body(
                transaction, try await Self.invoice(id, organization, forUpdate: true, transaction))
            var keyChange: KeyChange?
            if let stored {
                var turn = SubscriptionTurn(self, stored.subscription, by: actor, at: now, transaction)
                let since = try await owedSince(of: stored.subscription.id, transaction)
                try await turn.apply(.owes(since: since))
                _ = try await turn.elapse()
                try await turn.save(kind, before: stored.subscription)
                keyChange = turn.keyChange
            }
            return InvoiceChange(
                invoice: try await Self.invoice(id, organization, transaction), keyChange: keyChange)
        }
    }
}
