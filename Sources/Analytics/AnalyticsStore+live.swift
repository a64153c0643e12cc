package import Base
import Postgres

extension AnalyticsStore {
    /// More of them are not told again.
    package static let mostResumed = 1000
    /// No call lasts longer: ids say when they began.
    private static let longestCall = 3600
    /// Calls come into the books about in the order in which they end: what ended so long before may have come after.
    private static let disorder = 5

    /// Those of these that are wanted, in the order in which they ended.
    package func calls(
        of organization: UUID, _ filter: CallFilter, named names: [UUID]
    ) async throws -> [UsedCall] {
        try await calls(
            of: organization, where: "\(filter.condition(organization)) AND call.id = ANY(\(names))")
    }

    /// What came into the books after a call, in the order in which it ended, at most the last `mostResumed`; some that came
    /// shortly before it, too. None where it is not known.
    package func calls(
        of organization: UUID, _ filter: CallFilter, bookedAfter last: UUID
    ) async throws -> [UsedCall] {
        let ended = try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await transaction.query(
                "SELECT max(at) FROM usage_events WHERE org_id = \(organization) AND id = \(last)"
            ).decode(Timestamp?.self).first ?? nil
        }
        guard let ended else { return [] }
        let start = ended + .seconds(-Self.disorder)
        let first = UUID.make(at: start + .seconds(-Self.longestCall), (0, 0))
        return try await calls(
            of: organization,
            where: """
                \(filter.condition(organization)) AND call.id > \(first) AND call.at >= \(start) AND call.id <> \(last)
                """)
    }

    private func calls(of organization: UUID, where condition: SQL) async throws -> [UsedCall] {
        let calls = try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            let rows = try await transaction.query(
                """
                SELECT \(UsedCall.columns) FROM usage_events WHERE org_id = \(organization) AND id IN (
                    SELECT call.id FROM usage_events AS call WHERE \(condition)
                    ORDER BY call.at DESC, call.id DESC LIMIT \(Self.mostResumed)
                ) ORDER BY id, attempt
                """)
            return try UsedCall.calls(rows)
        }
        return calls.sorted { ($0.at, $0.id) < ($1.at, $1.id) }
    }
}
