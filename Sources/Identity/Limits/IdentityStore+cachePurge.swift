package import Base
import Postgres

/// That somebody had answers deleted.
extension IdentityStore {
    /// - Parameter deed: which, and how many, as JSON.
    package func notePurge(of organization: UUID, _ deed: [UInt8], by actor: Actor) async throws {
        try await pool.transaction(tenant: organization) { transaction in
            try await audit.record(
                AuditLog.Deed(
                    "organization.cache.purge", "organization", organization,
                    after: String(decoding: deed, as: UTF8.self)),
                by: actor, in: organization, at: time.timestamp(), transaction)
        }
    }
}
