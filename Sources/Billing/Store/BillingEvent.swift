package import Base
import Postgres

/// Something that happened to what is billed.
package struct BillingEvent: Equatable, Sendable {
    package var id: UUID
    package var organization: UUID
    package var subscription: UUID?
    package var invoice: UUID?
    package var at: Timestamp
    /// `invoice.opened`
    package var kind: String
    /// JSON.
    package var detail = Array("{}".utf8)
}

extension BillingStore {
    /// Of an organization, the latest first.
    package func events(
        of organization: UUID, before last: UUID? = nil, limit: Int
    ) async throws -> [BillingEvent] {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT id, subscription_id, invoice_id, at, kind, detail FROM billing_events
                WHERE org_id = \(organization)
                    AND (\(last)::uuid IS NULL OR sequence < (SELECT sequence FROM billing_events WHERE id = \(last)))
                ORDER BY sequence DESC LIMIT \(limit)
                """
            ).decode((UUID, UUID?, UUID?, Timestamp, String, PostgresJSON).self).map {
                BillingEvent(
                    id: $0.0, organization: organization, subscription: $0.1, invoice: $0.2, at: $0.3,
                    kind: $0.4, detail: $0.5.bytes)
            }
        }
    }

    func note(_ event: BillingEvent, _ transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            INSERT INTO billing_events (id, org_id, subscription_id, invoice_id, at, kind, detail)
            VALUES (\(event.id), \(event.organization), \(event.subscription), \(event.invoice), \(event.at),
                \(event.kind), \(PostgresJSON(event.detail)))
            """)
    }
}
