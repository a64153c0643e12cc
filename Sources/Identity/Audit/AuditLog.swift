import Base
import Postgres

/// Writes the audit trail: one chain for each organization, each entry's code made over it and the one before.
///
/// The codes are made under a secret that the database does not hold, so that whoever can write to the database can
/// neither change the past nor add to it unnoticed.
package struct AuditLog: Sendable {
    private let code: KeyedDigest

    /// `secret` is the instance's own, the same for all its processes.
    package init(secret: [UInt8]) { code = KeyedDigest(key: secret) }

    /// What somebody did, to be written down in the transaction that does it: both happen or neither.
    struct Deed {
        var action: String
        var targetKind: String
        var targetID: String
        var before: String?
        var after: String?

        init(
            _ action: String, _ targetKind: String, _ targetID: some CustomStringConvertible,
            before: String? = nil, after: String? = nil
        ) {
            self.action = action
            self.targetKind = targetKind
            self.targetID = targetID.description
            self.before = before
            self.after = after
        }
    }

    /// Begins the chain of `organization`: once, when it is made. A chain without an end is never begun again, so that
    /// whoever takes away all of one leaves a gap that stays.
    func begin(_ organization: UUID, _ transaction: PostgresTransaction) async throws {
        try await addHead(of: organization, at: 0, transaction)
    }

    /// Adds to the chain of `organization`. Others who do so wait until this transaction ends.
    func record(
        _ deed: Deed, by actor: Actor, in organization: UUID, at now: Timestamp,
        _ transaction: PostgresTransaction
    ) async throws {
        let (last, previous) = try await head(of: organization, transaction)
        let entry = AuditEntry(
            organization: organization, sequence: last + 1, id: .make(at: now), at: now, actor: actor,
            action: deed.action, targetKind: deed.targetKind, targetID: deed.targetID, before: deed.before,
            after: deed.after)
        let mac = mac(of: entry, after: previous)
        try await transaction.execute(
            """
            INSERT INTO audit_entries (org_id, sequence, id, at, actor_kind, actor_user, actor_key, address,
                request_id, action, target_kind, target_id, before, after, mac)
            VALUES (\(organization), \(entry.sequence), \(entry.id), \(now), \(actor.kind.rawValue),
                \(actor.user), \(actor.key), \(actor.address), \(actor.requestID), \(deed.action),
                \(deed.targetKind), \(deed.targetID), \(deed.before), \(deed.after), \(mac))
            """)
        try await transaction.execute(
            """
            UPDATE audit_heads SET sequence = \(entry.sequence), mac = \(mac),
                seal = \(seal(organization, entry.sequence, mac))
            WHERE org_id = \(organization)
            """)
    }

    /// How many entries the chain has, and the code of the last.
    private func head(
        of organization: UUID, _ transaction: PostgresTransaction
    ) async throws -> (Int64, [UInt8]) {
        let head: SQL = "SELECT sequence, mac FROM audit_heads WHERE org_id = \(organization) FOR UPDATE"
        if let row = try await transaction.query(head).first { return try row.decode((Int64, [UInt8]).self) }
        // Somebody took it away. What people do goes on and is written down, behind a breach that can be seen.
        let last = try await transaction.query(
            "SELECT max(sequence) FROM audit_entries WHERE org_id = \(organization)")[0].decode(Int64?.self)
        try await addHead(of: organization, at: last ?? 1, transaction)
        guard let row = try await transaction.query(head).first else {
            throw AuditHeadLost(organization: organization)
        }
        return try row.decode((Int64, [UInt8]).self)
    }

    private func addHead(
        of organization: UUID, at sequence: Int64, _ transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            """
            INSERT INTO audit_heads (org_id, sequence, mac, seal)
            VALUES (\(organization), \(sequence), \(AuditEntry.origin),
                \(seal(organization, sequence, AuditEntry.origin)))
            ON CONFLICT DO NOTHING
            """)
    }

    func mac(of entry: AuditEntry, after previous: [UInt8]) -> [UInt8] {
        code.hmacSHA256(of: entry.bytes(after: previous))
    }

    /// The end of a chain: how many entries it has, and the code of the last.
    func seal(_ organization: UUID, _ sequence: Int64, _ mac: [UInt8]) -> [UInt8] {
        code.hmacSHA256(of: Array("head".utf8) + organization.bytes + Array("\(sequence):".utf8) + mac)
    }
}

/// The head of a chain that was there a moment ago is not: row-level security hides it, which is a fault of ours.
struct AuditHeadLost: Error {
    let organization: UUID
}
