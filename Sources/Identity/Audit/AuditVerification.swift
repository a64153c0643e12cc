package import Base
package import Postgres

/// Goes through audit chains from their first entry and finds the first that does not follow from the one before.
package struct AuditVerification: Sendable {
    private static let batch = 1000

    private let pool: PostgresPool
    private let log: AuditLog

    package init(_ pool: PostgresPool, _ log: AuditLog) {
        self.pool = pool
        self.log = log
    }

    package struct Chain: Sendable {
        package var organization: UUID
        package var entryCount: Int64
        /// The code of the last entry.
        package var end: [UInt8]
        /// `nil`: it is whole.
        package var breach: Breach?
    }

    /// Where a chain first is not what was written.
    package struct Breach: Equatable, Sendable, CustomStringConvertible {
        package var sequence: Int64
        package var reason: String

        package var description: String { "entry \(sequence): \(reason)" }
    }

    /// Every chain of the instance, told one by one.
    package func run(_ report: (Chain) -> Void) async throws {
        let organizations = try await pool.transaction(in: .system, readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT org_id FROM audit_heads UNION SELECT DISTINCT org_id FROM audit_entries
                UNION SELECT id FROM organizations UNION SELECT \(AuditEntry.instance) ORDER BY 1
                """
            ).decode(UUID.self)
        }
        for organization in organizations { report(try await verify(organization)) }
    }

    /// One snapshot of a chain: what is added meanwhile is not looked at.
    package func verify(_ organization: UUID) async throws -> Chain {
        try await pool.transaction(isolation: .repeatableRead, readOnly: true) { transaction in
            try await transaction.enter(.system)
            let head = try await transaction.query(
                "SELECT sequence, mac, seal FROM audit_heads WHERE org_id = \(organization)")
            var sequence: Int64 = 0
            var mac = AuditEntry.origin
            while true {
                let rows = try await transaction.query(
                    """
                    SELECT \(AuditEntry.columns), mac FROM audit_entries
                    WHERE org_id = \(organization) AND sequence > \(sequence)
                    ORDER BY sequence LIMIT \(Self.batch)
                    """)
                for row in rows {
                    let next = try row.decode(Int64.self, "sequence")
                    guard next == sequence + 1 else {
                        return Chain(
                            organization: organization, entryCount: sequence, end: mac,
                            breach: Breach(sequence: sequence + 1, reason: "is missing"))
                    }
                    let stored = try row.decode([UInt8].self, "mac")
                    // What cannot be read was never written.
                    guard let entry = try? AuditEntry(row), log.mac(of: entry, after: mac) == stored else {
                        return Chain(
                            organization: organization, entryCount: sequence, end: mac,
                            breach: Breach(
                                sequence: next,
                                reason: "was changed, or does not follow the one before"))
                    }
                    (sequence, mac) = (next, stored)
                }
                if rows.count < Self.batch { break }
            }
            return Chain(
                organization: organization, entryCount: sequence, end: mac,
                breach: try breach(ofHead: head.first, organization, sequence, mac))
        }
    }

    private func breach(
        ofHead head: PostgresRow?, _ organization: UUID, _ sequence: Int64, _ mac: [UInt8]
    ) throws -> Breach? {
        guard let head else { return Breach(sequence: sequence, reason: "the end of the chain is missing") }
        let (count, end, seal) = try head.decode((Int64, [UInt8], [UInt8]).self)
        guard log.seal(organization, count, end) == seal else {
            return Breach(sequence: count, reason: "the end of the chain was changed")
        }
        if count > sequence { return Breach(sequence: sequence + 1, reason: "is missing: the chain was cut") }
        return count == sequence && end == mac
            ? nil : Breach(sequence: count + 1, reason: "was added behind the end of the chain")
    }
}
