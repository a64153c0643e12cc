import Base
import Identity
import JSON
import Ledger
import Postgres

/// How invoices come about. Whoever calls has the subscription, where there is one, to themselves.
extension BillingStore {
    /// Invoices what is to be paid, and on wish what was used up to now; nil: that came to nothing.
    ///
    /// - Parameter leastUsage: in cents; what was used waits for the next invoice where it is less.
    func invoice(
        _ organization: UUID, _ subscription: UUID?, _ lines: [InvoiceLine], due: Timestamp, withUsage: Bool,
        leastUsage: Int64 = 1, at now: Timestamp, _ transaction: PostgresTransaction
    ) async throws -> UUID? {
        try await Self.openAccount(of: organization, transaction)
        var lines = lines
        if withUsage { lines += try await takeUsage(of: organization, atLeast: leastUsage, transaction) }
        lines.removeAll { $0.cents == 0 }
        if lines.isEmpty { return nil }
        lines += try await Self.balance(lines, organization, transaction)
        let id = try await Self.draft(lines, organization, subscription: subscription, at: now, transaction)
        try await open(
            try await Self.invoice(id, organization, forUpdate: true, transaction), due: due, at: now,
            transaction)
        return id
    }

    /// The organization's account, locked: from here on nobody else invoices it.
    static func openAccount(of organization: UUID, _ transaction: PostgresTransaction) async throws {
        try await transaction.pipeline([
            "INSERT INTO billing_accounts (org_id) VALUES (\(organization)) ON CONFLICT DO NOTHING",
            "SELECT FROM billing_accounts WHERE org_id = \(organization) FOR UPDATE",
        ])
    }

    /// What the organization owes for use and was not asked for yet, in whole cents: all that it owes by the ledger, less
    /// what open invoices ask for.
    private func takeUsage(
        of organization: UUID, atLeast least: Int64, _ transaction: PostgresTransaction
    ) async throws -> [InvoiceLine] {
        let balances = try await Ledger.balances(of: organization, in: transaction)
        let (earned, taken) = (balances[.usageRevenue] ?? 0, balances[.commissionRevenue] ?? 0)
        let (asked, usage, commission) = try await transaction.query(
            """
            SELECT (SELECT coalesce(sum(total_cents - paid_cents), 0)::bigint FROM invoices
                    WHERE org_id = \(organization) AND status = 'open') - credit_cents, usage_nano, commission_nano
            FROM billing_accounts WHERE org_id = \(organization)
            """
        )[0].decode((Int64, Int64, Int64).self)
        let share = UsageShare(
            of: -(balances[.receivable] ?? 0) - asked * USCents.nanodollars, usage: earned - usage,
            commission: taken - commission)
        let cents = share.usageCents + share.commissionCents
        if cents < least {
            let carry = share.carryNanodollars + cents * USCents.nanodollars
            try await transaction.execute(
                "UPDATE billing_accounts SET carry_nano = \(carry) WHERE org_id = \(organization)")
            return []
        }
        try await transaction.execute(
            """
            UPDATE billing_accounts SET usage_nano = \(earned), commission_nano = \(taken),
                carry_nano = \(share.carryNanodollars)
            WHERE org_id = \(organization)
            """)
        return [
            InvoiceLine(.usage, "Usage", cents: share.usageCents),
            InvoiceLine(.commission, "Commission on usage", cents: share.commissionCents),
        ]
    }

    /// An invoice is never negative: what is the customer's is kept, and used for the next.
    private static func balance(
        _ lines: [InvoiceLine], _ organization: UUID, _ transaction: PostgresTransaction
    ) async throws -> [InvoiceLine] {
        let sum = lines.reduce(0) { $0 + $1.cents }
        let kept = try await transaction.query(
            "SELECT credit_cents FROM billing_accounts WHERE org_id = \(organization)")[0].decode(Int64.self)
        let change = sum < 0 ? -sum : -min(sum, kept)
        if change == 0 { return [] }
        try await transaction.execute(
            """
            UPDATE billing_accounts SET credit_cents = credit_cents + \(change) WHERE org_id = \(organization)
            """)
        let text = change > 0 ? "Kept for your next invoices" : "Kept from earlier invoices"
        return [InvoiceLine(.credit, text, cents: change)]
    }

    static func draft(
        _ lines: [InvoiceLine], _ organization: UUID, subscription: UUID?, at now: Timestamp,
        _ transaction: PostgresTransaction
    ) async throws -> UUID {
        let id = UUID.make(at: now)
        let statements = lines.enumerated().map { position, line -> SQL in
            """
            INSERT INTO invoice_lines (invoice_id, position, org_id, kind, text, period_start, period_end, cents)
            VALUES (\(id), \(Int32(position)), \(organization), \(line.kind.rawValue), \(line.text),
                \(line.period?.start), \(line.period?.end), \(line.cents))
            """
        }
        try await transaction.pipeline(
            [
                """
                INSERT INTO invoices (id, org_id, subscription_id, status, total_cents, created_at)
                VALUES (\(id), \(organization), \(subscription), 'draft', \(lines.reduce(0) { $0 + $1.cents }), \(now))
                """
            ] + statements)
        return id
    }

    /// Gives a draft its number and its day. One of nothing is paid at once.
    func open(
        _ invoice: Invoice, due: Timestamp, at now: Timestamp, _ transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            """
            WITH account AS (
                UPDATE billing_accounts SET last_invoice_number = last_invoice_number + 1
                WHERE org_id = \(invoice.organization) RETURNING last_invoice_number, bill_to)
            UPDATE invoices SET status = 'open', number = last_invoice_number, bill_to = account.bill_to,
                opened_at = \(now), due_at = \(due)
            FROM account WHERE id = \(invoice.id)
            """)
        try await post(invoice.subscriptionCents, for: invoice, transaction)
        try await note(invoice, "invoice.opened", at: now, transaction)
        if invoice.totalCents == 0 {
            try await transaction.execute(
                "UPDATE invoices SET status = 'paid', closed_at = \(now) WHERE id = \(invoice.id)")
            try await note(invoice, "invoice.paid", at: now, transaction)
        }
    }

    /// Of plans: what is owed from now on; less than 0: no more.
    private func post(
        _ cents: Int64, for invoice: Invoice, _ transaction: PostgresTransaction
    ) async throws {
        let posting: InvoicePosting = cents > 0 ? .subscription : .subscriptionReturned
        try await posting.post(
            cents: abs(cents), of: invoice.organization, reference: invoice.id, transaction)
    }

    // MARK: Other ends than to be paid

    /// Of one subscription: it would have to be changed so often within 30 days.
    private static let mostOpenInvoices = 1000

    func closeAll(
        of subscription: Subscription, as status: Invoice.Status, at now: Timestamp,
        _ transaction: PostgresTransaction
    ) async throws {
        try await Self.openAccount(of: subscription.organization, transaction)
        let open = try await Self.invoices(
            "subscription_id = \(subscription.id) AND status = 'open' ORDER BY sequence LIMIT \(Self.mostOpenInvoices) FOR UPDATE",
            transaction)
        for invoice in open {
            // Of what was paid in part nothing is taken back by itself.
            let isVoid = status == .void && invoice.paidCents == 0
            try await close(invoice, as: isVoid ? .void : .uncollectible, at: now, transaction)
        }
    }

    func close(
        _ invoice: Invoice, as status: Invoice.Status, at now: Timestamp, _ transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            "UPDATE invoices SET status = \(status.rawValue), closed_at = \(now) WHERE id = \(invoice.id)")
        try await note(invoice, "invoice.\(status.rawValue)", at: now, transaction)
        if invoice.status == .draft { return }
        if status == .uncollectible {
            try await InvoicePosting.writeOff.post(
                cents: invoice.restCents, of: invoice.organization, reference: invoice.id, transaction)
            return
        }
        try await post(-invoice.subscriptionCents, for: invoice, transaction)
        // Of use the ledger knows that it is owed: it is asked for again.
        try await transaction.execute(
            """
            UPDATE billing_accounts SET credit_cents = credit_cents - \(min(invoice.cents(of: .credit), 0))
            WHERE org_id = \(invoice.organization)
            """)
    }

    // MARK: What is known of them

    /// When the oldest invoice of a subscription is due that is open.
    func owedSince(of subscription: UUID, _ transaction: PostgresTransaction) async throws -> Timestamp? {
        try await transaction.query(
            "SELECT min(due_at) FROM invoices WHERE subscription_id = \(subscription) AND status = 'open'")[0]
            .decode(Timestamp?.self)
    }

    func remind(
        of subscription: Subscription, _ count: Int, at now: Timestamp, _ transaction: PostgresTransaction
    ) async throws {
        let overdue = try await Self.invoices(
            """
            subscription_id = \(subscription.id) AND status = 'open' AND due_at <= \(now) ORDER BY due_at, sequence LIMIT 1
            """, transaction)
        guard let invoice = overdue.first else { return }
        try await note(invoice, "invoice.reminder", at: now, transaction) { $0.field("count", count) }
        try await remind(Reminder(invoice: invoice, count: count), transaction)
    }

    func note(
        _ invoice: Invoice, _ kind: String, at now: Timestamp, _ transaction: PostgresTransaction,
        _ detail: (inout JSONWriter) -> Void = { _ in }
    ) async throws {
        var json = JSONWriter()
        json.object { json in
            json.field("total_cents", Int(invoice.totalCents))
            detail(&json)
        }
        try await note(
            BillingEvent(
                id: .make(at: now), organization: invoice.organization, subscription: invoice.subscription,
                invoice: invoice.id, at: now, kind: kind, detail: json.bytes), transaction)
    }

    static func invoice(
        _ id: UUID, _ organization: UUID, forUpdate: Bool = false, _ transaction: PostgresTransaction
    ) async throws -> Invoice {
        let found = try await invoices(
            "id = \(id) AND org_id = \(organization) \(forUpdate ? "FOR UPDATE" : "" as SQL)", transaction)
        guard let invoice = found.first else { throw Problem.notFound("invoice") }
        return invoice
    }

    static func invoices(_ condition: SQL, _ transaction: PostgresTransaction) async throws -> [Invoice] {
        var invoices = try await transaction.query(
            """
            SELECT id, org_id, subscription_id, number, status, bill_to, total_cents, paid_cents, created_at, opened_at,
                due_at, closed_at
            FROM invoices WHERE \(condition)
            """
        ).decode { row throws(PostgresError) in try Invoice(row) }
        let lines = try await transaction.query(
            """
            SELECT invoice_id, kind, text, period_start, period_end, cents FROM invoice_lines
            WHERE invoice_id = ANY(\(invoices.map(\.id))) ORDER BY invoice_id, position
            """
        ).decode((UUID, String, String, Timestamp?, Timestamp?, Int64).self)
        let places = Dictionary(uniqueKeysWithValues: invoices.enumerated().map { ($1.id, $0) })
        for (id, kind, text, start, end, cents) in lines {
            guard let place = places[id] else { continue }
            let period = start.flatMap { start in end.map { BillingPeriod(start: start, end: $0) } }
            invoices[place].lines.append(
                InvoiceLine(
                    InvoiceLine.Kind(rawValue: kind) ?? .subscription, text, period: period, cents: cents))
        }
        return invoices
    }
}

extension Invoice {
    func cents(of kind: InvoiceLine.Kind) -> Int64 {
        lines.reduce(0) { $0 + ($1.kind == kind ? $1.cents : 0) }
    }

    /// What it asks for plans, and not for use.
    var subscriptionCents: Int64 { cents(of: .subscription) + cents(of: .proration) }

    /// What it asks for use.
    var usageNanodollars: Int64 {
        (cents(of: .usage) + cents(of: .commission)) * USCents.nanodollars
    }

    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        guard let status = Status(rawValue: try row.decode(String.self, "status")) else {
            throw PostgresError(.decoding, "an invoice that this program does not know")
        }
        self.init(
            id: try row.decode(UUID.self, "id"), organization: try row.decode(UUID.self, "org_id"),
            subscription: try row.decode(UUID?.self, "subscription_id"),
            number: try row.decode(Int64?.self, "number"), status: status,
            billTo: try row.decode(String?.self, "bill_to"), lines: [],
            totalCents: try row.decode(Int64.self, "total_cents"),
            paidCents: try row.decode(Int64.self, "paid_cents"),
            createdAt: try row.decode(Timestamp.self, "created_at"),
            openedAt: try row.decode(Timestamp?.self, "opened_at"),
            dueAt: try row.decode(Timestamp?.self, "due_at"),
            closedAt: try row.decode(Timestamp?.self, "closed_at"))
    }
}
