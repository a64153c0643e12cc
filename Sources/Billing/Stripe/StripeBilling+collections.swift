package import Base
import Identity
import Postgres
import Stripe

/// Invoices of ours that are charged by themselves: Stripe invoices plans, and what was used is ours to ask for.
extension StripeBilling {
    /// Invoices that are charged in a round.
    private static let mostCollections = 100
    /// After a decline it is charged again so many days later, and then no more.
    private static let pausesInDays: [Int64] = [1, 2, 2, 2]

    /// Charges what is open and due to be. Says what went wrong, of whose.
    package func collectInvoices() async throws -> [(organization: UUID, error: any Error)] {
        var failures: [(organization: UUID, error: any Error)] = []
        for (organization, invoice) in try await collectable() {
            do {
                try await collect(try await store.invoice(invoice, of: organization), by: .system)
            } catch {
                try Task.checkCancellation()
                failures.append((organization, error))
            }
        }
        return failures
    }

    /// Open ones of subscriptions that Stripe has, which it does not collect itself and which are not being paid.
    private func collectable() async throws -> [(UUID, UUID)] {
        let now = now
        return try await store.system(readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT invoice.org_id, invoice.id FROM invoices AS invoice
                JOIN subscriptions AS subscription ON subscription.id = invoice.subscription_id
                    AND subscription.stripe_id IS NOT NULL
                JOIN stripe_customers AS customer ON customer.org_id = invoice.org_id AND default_method IS NOT NULL
                JOIN organizations ON organizations.id = invoice.org_id AND deleted_at IS NULL
                LEFT JOIN stripe_collections AS collection ON collection.invoice_id = invoice.id
                WHERE invoice.status = 'open' AND total_cents - paid_cents >= \(Self.leastCents)
                    AND coalesce(next_attempt_at <= \(now) AND failures <= \(Int32(Self.pausesInDays.count)), true)
                    AND NOT EXISTS (SELECT FROM stripe_invoices WHERE invoice_id = invoice.id)
                    AND NOT EXISTS (SELECT FROM stripe_payments AS payment
                        WHERE payment.invoice_id = invoice.id AND payment.ended_at IS NULL)
                ORDER BY opened_at, invoice.id LIMIT \(Self.mostCollections)
                """
            ).decode((UUID, UUID).self)
        }
    }

    private func collect(_ invoice: Invoice, by actor: Actor) async throws {
        // It may have been paid, or called off, meanwhile.
        guard invoice.status == .open, invoice.restCents >= Self.leastCents,
            let method = try await defaultMethod(of: invoice.organization)
        else { return }
        var payment = StripePayment(
            .collection, of: invoice.organization, invoice: invoice.id, cents: invoice.restCents, at: now)
        payment.method = method
        do {
            try await write(payment, by: actor)
        } catch let error as PostgresError {
            // Another process charges already.
            if case .uniqueViolation(constraint: "stripe_payments_collection") = error.kind { return }
            throw error
        }
        do {
            try await charge(payment)
        } catch let error as StripeError {
            // Where nobody knows, it is asked again with the same key.
            if try await self.payment(payment.id).status == .failed { try await postpone(invoice) }
            throw error
        }
    }

    private func postpone(_ invoice: Invoice) async throws {
        let now = now
        try await store.system { transaction in
            let failures = try await transaction.query(
                """
                INSERT INTO stripe_collections AS kept (invoice_id, org_id, failures, next_attempt_at)
                VALUES (\(invoice.id), \(invoice.organization), 1, \(now))
                ON CONFLICT (invoice_id) DO UPDATE SET failures = kept.failures + 1
                RETURNING failures
                """)[0].decode(Int32.self)
            let days = Self.pausesInDays[min(Int(failures), Self.pausesInDays.count) - 1]
            try await transaction.execute(
                """
                UPDATE stripe_collections SET next_attempt_at = \(now + .seconds(days * 86_400))
                WHERE invoice_id = \(invoice.id)
                """)
            try await store.identity.tellOwners(
                of: invoice.organization, .paymentFailed(invoice.restCents), transaction)
        }
    }
}
