import Base
import Identity
import Postgres
import Stripe

/// Stripe's invoices of subscriptions, as invoices of ours: what they ask for and what was paid of them is in our books.
extension StripeBilling {
    /// Takes what has become of an invoice of Stripe's.
    func mirror(_ id: String) async throws -> StripeCounters.EventOutcome {
        let told = try await stripe.invoice(id)
        guard let organization = try await organization(of: told.customer) else { return .foreign }
        // A draft still changes; and of what asks for nothing there is nothing to write down.
        guard told.status != .draft, told.amountDue.cents > 0 else { return .applied }
        // It is the subscription's.
        if let subscription = told.subscription, !(try await isKnown(subscription)) {
            _ = try await follow(subscription)
        }
        let now = now
        try await store.system { transaction in
            // Whoever has it has all invoices of the organization to themselves.
            try await BillingStore.openAccount(of: organization, transaction)
            let invoice = try await own(told, organization, at: now, transaction)
            try await follow(told, invoice, at: now, transaction)
        }
        return .applied
    }

    private func own(
        _ told: StripeInvoice, _ organization: UUID, at now: Timestamp, _ transaction: PostgresTransaction
    ) async throws -> Invoice {
        let known = try await transaction.query(
            "SELECT invoice_id FROM stripe_invoices WHERE stripe_id = \(told.id)"
        ).first?.decode(UUID.self)
        if let known {
            return try await BillingStore.invoice(known, organization, forUpdate: true, transaction)
        }
        let found = try await transaction.query(
            "SELECT id, plan_title FROM subscriptions WHERE stripe_id = \(told.subscription)"
        ).first?.decode((UUID, String).self)
        let text = [found?.1 ?? "Subscription", told.number.map { "(\($0))" }].compactMap(\.self)
        let line = InvoiceLine(
            .subscription, text.joined(separator: " "), cents: told.amountDue.cents)
        let id = try await BillingStore.draft(
            [line], organization, subscription: found?.0, at: now, transaction)
        let draft = try await BillingStore.invoice(id, organization, forUpdate: true, transaction)
        try await store.open(draft, due: told.created, at: now, transaction)
        try await transaction.execute(
            """
            INSERT INTO stripe_invoices (stripe_id, org_id, invoice_id) VALUES (\(told.id), \(organization), \(id))
            """)
        return try await BillingStore.invoice(id, organization, forUpdate: true, transaction)
    }

    private func follow(
        _ told: StripeInvoice, _ invoice: Invoice, at now: Timestamp, _ transaction: PostgresTransaction
    ) async throws {
        let isOwed = invoice.status == .open || invoice.status == .uncollectible
        switch told.status {
        case .paid where isOwed:
            let reference = told.paymentIntent ?? told.id
            try await store.record(
                BillingStore.Payment(
                    cents: invoice.restCents, method: "stripe", reference: reference, paidAt: now),
                for: invoice, by: .system, at: now, transaction)
            try await remember(reference, invoice, at: now, transaction)
        case .void where invoice.status == .open:
            try await store.close(invoice, as: .void, at: now, transaction)
        case .uncollectible where invoice.status == .open:
            try await store.close(invoice, as: .uncollectible, at: now, transaction)
        case .open where told.attemptCount > 0:
            let isNews = try await transaction.execute(
                """
                UPDATE stripe_invoices SET told_attempts = \(told.attemptCount)
                WHERE stripe_id = \(told.id) AND told_attempts < \(told.attemptCount)
                """)
            if isNews == 1 {
                try await store.identity.tellOwners(
                    of: invoice.organization, .paymentFailed(invoice.restCents), transaction)
            }
        case .draft, .open, .paid, .void, .uncollectible: break
        }
    }

    /// So that a refund or a dispute of it is found.
    private func remember(
        _ intent: String, _ invoice: Invoice, at now: Timestamp, _ transaction: PostgresTransaction
    ) async throws {
        var payment = StripePayment(
            .subscription, of: invoice.organization, invoice: invoice.id, cents: invoice.restCents, at: now)
        payment.stripeID = intent
        payment.status = .succeeded
        payment.endedAt = now
        try await transaction.execute("\(payment.insertion) ON CONFLICT (stripe_id) DO NOTHING")
        counters.count(.succeeded)
    }

    /// Has Stripe collect an invoice of its own with the card that the organization has, or says how the browser pays it;
    /// nil: it is none of Stripe's.
    func collect(_ invoice: Invoice) async throws -> Begun? {
        let organization = invoice.organization
        let link = try await store.system { transaction in
            try await transaction.query(
                """
                UPDATE stripe_invoices SET payments = payments + 1 WHERE invoice_id = \(invoice.id)
                RETURNING stripe_id, payments
                """
            ).first?.decode((String, Int32).self)
        }
        guard let (id, count) = link else { return nil }
        var payment = StripePayment(
            .subscription, of: organization, invoice: invoice.id, cents: invoice.restCents, at: now)
        if try await defaultMethod(of: organization) == nil {
            // The browser pays the intent that Stripe has made for it.
            guard let intent = try await stripe.invoice(id).paymentIntent else {
                throw Problem.noPaymentMethod
            }
            let told = try await stripe.paymentIntent(intent)
            payment.status = StripePayment.Status(told.status)
            payment.stripeID = told.id
            return Begun(payment: payment, clientSecret: told.clientSecret)
        }
        let told = try await stripe.pay(id, key: "pay-\(id)-\(count)")
        _ = try await mirror(id)
        if let subscription = told.subscription { _ = try await follow(subscription) }
        payment.status = told.status == .paid ? .succeeded : .processing
        payment.stripeID = told.paymentIntent
        return Begun(payment: payment)
    }
}
