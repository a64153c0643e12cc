package import Base
import JSON
import Postgres

/// What an operator agrees upon with an organization about its money.
package struct PaymentTerms: Equatable, Sendable {
    /// What is taken on top of what its requests cost; nil: what its plan says.
    package var commission: Commission?
    /// Until then its budgets refuse nobody.
    package var budgetsEnforcedFrom: Timestamp?

    package struct Commission: Equatable, Sendable {
        /// Hundredths of a percent.
        package var points: Int
        package var mode: String

        package init(points: Int, mode: String) {
            self.points = points
            self.mode = mode
        }
    }
}

extension IdentityStore {
    package func paymentTerms(ofAny organization: UUID) async throws -> PaymentTerms {
        try await pool.transaction(in: .system, readOnly: true) { transaction in
            try await Self.paymentTerms(of: organization, transaction)
        }
    }

    /// They hold from the next request on.
    package func changePaymentTerms(
        ofAny organization: UUID, by actor: Actor, _ change: @Sendable (inout PaymentTerms) -> Void
    ) async throws -> KeyChange {
        try await pool.transaction(in: .system) { transaction in
            let before = try await Self.paymentTerms(of: organization, forUpdate: true, transaction)
            var after = before
            change(&after)
            try await transaction.execute(
                """
                UPDATE organizations SET commission_points = \(after.commission.map { Int32($0.points) }),
                    commission_mode = \(after.commission?.mode),
                    budgets_enforced_from = \(after.budgetsEnforcedFrom)
                WHERE id = \(organization)
                """)
            try await audit.record(
                AuditLog.Deed(
                    "organization.terms", "organization", organization, before: before.description,
                    after: after.description),
                by: actor, in: organization, at: time.timestamp(), transaction)
            return try await raiseKeyGeneration(of: organization, transaction)
        }
    }

    private static func paymentTerms(
        of organization: UUID, forUpdate: Bool = false, _ transaction: PostgresTransaction
    ) async throws -> PaymentTerms {
        let rows = try await transaction.query(
            """
            SELECT commission_points, commission_mode, budgets_enforced_from FROM organizations
            WHERE id = \(organization) \(forUpdate ? "FOR UPDATE" : "" as SQL)
            """)
        guard let row = rows.first else { throw Problem.notFound("organization") }
        let (points, mode, enforcedFrom) = try row.decode((Int32?, String?, Timestamp?).self)
        var terms = PaymentTerms(budgetsEnforcedFrom: enforcedFrom)
        if let points, let mode { terms.commission = .init(points: Int(points), mode: mode) }
        return terms
    }

    /// Budgets refuse requests from now on. The first time, organizations that are there already have until `grace` is over to
    /// see what would be refused. Says how many these are.
    package func beginEnforcement(grace: Duration) async throws -> Int {
        let now = time.timestamp()
        return try await pool.transaction(in: .system) { transaction in
            let isFirst = try await transaction.execute(
                "INSERT INTO budget_enforcement (began_at) VALUES (\(now)) ON CONFLICT DO NOTHING")
            guard isFirst == 1, grace > .zero else { return 0 }
            // Nobody has asked this process for anything yet, and others refuse nobody.
            return try await transaction.execute(
                """
                UPDATE organizations SET budgets_enforced_from = \(now + grace)
                WHERE budgets_enforced_from IS NULL AND deleted_at IS NULL
                """)
        }
    }
}

extension PaymentTerms: CustomStringConvertible {
    /// For the audit trail.
    package var description: String {
        var json = JSONWriter()
        json.object { json in
            json.field("commission_points", commission?.points)
            json.field("commission_mode", commission?.mode)
            json.field("budgets_enforced_from_us", budgetsEnforcedFrom.map { Int($0.microseconds) })
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
