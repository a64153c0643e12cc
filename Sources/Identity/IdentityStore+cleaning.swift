import Base
import Postgres

extension IdentityStore {
    /// What has ended is kept for so long, to be asked about.
    private static let memory = Duration.seconds(30 * 86_400)

    /// Removes what nobody needs any more. Of several processes that do so at the same time one works. Says how many
    /// organizations have come to their end.
    @discardableResult
    package func clean() async throws -> Int {
        let now = time.timestamp()
        let past = now + (.zero - Self.memory)
        return try await pool.transaction(in: .system) { transaction in
            let isAlone = try await transaction.query(
                "SELECT pg_try_advisory_xact_lock(hashtext('hivegate cleaning'))")[0].decode(Bool.self)
            guard isAlone else { return 0 }
            _ = try await transaction.pipeline([
                "DELETE FROM sso_attempts WHERE expires_at < \(now)",
                "DELETE FROM user_tokens WHERE expires_at < \(past)",
                "DELETE FROM refresh_tokens WHERE used_at < \(past)",
                "DELETE FROM sessions WHERE least(revoked_at, expires_at) < \(past)",
                "DELETE FROM signing_keys WHERE retires_at < \(now)",
                "DELETE FROM mail_outbox WHERE coalesce(sent_at, given_up_at, created_at) < \(past)",
            ])
            let purged = try await transaction.query(
                """
                SELECT count(*) FROM organizations
                WHERE deleted_at IS NOT NULL AND purged_at IS NULL AND purge_organization(id)
                """)
            return Int(try purged[0].decode(Int64.self))
        }
    }
}
