package import Base
package import Postgres

/// Puts everything that is sealed under the newest master key, while the instance is at work. The secrets themselves are
/// not decrypted, and whoever reads or replaces one meanwhile never notices.
package struct Rewrapping: Sendable {
    private static let batch = 200

    private let pool: PostgresPool
    private let vault: Vault

    package init(_ pool: PostgresPool, _ vault: Vault) {
        self.pool = pool
        self.vault = vault
    }

    /// How far it has come in one table.
    package struct Progress: Equatable, Sendable {
        package var table: String
        package var rewrapped = 0
        /// Rows that do not open: they were changed from outside, or their master key is not in the file.
        package var unreadable: [UUID] = []
    }

    /// One kind of sealed row. Every such table has `sealed`, `wrapped_key` and `master_version`.
    private struct Table {
        var name: String
        /// Its key, which is a UUID; and what else belongs to the place.
        var key: String
        var organization = "NULL::uuid"
        var detail = "''"
        var place: @Sendable (UUID, UUID?, String) -> Vault.Place
    }

    private static let tables = [
        Table(name: "instance_secrets", key: "id") { id, _, _ in .instanceSecret(id) },
        Table(name: "signing_keys", key: "id") { id, _, _ in .signingKey(id) },
        Table(name: "totp_devices", key: "user_id") { user, _, _ in .totp(user) },
        Table(name: "mail_outbox", key: "id") { id, _, _ in .mail(id) },
        Table(name: "sso_connections", key: "id", organization: "org_id") { id, organization, _ in
            .singleSignOn(id, of: organization)
        },
        Table(name: "budgets", key: "id", organization: "org_id") { id, organization, _ in
            .budgetWebhook(id, of: organization ?? UUID(high: 0, low: 0))
        },
        Table(name: "provider_credentials", key: "id", organization: "org_id", detail: "provider") {
            id, organization, provider in .credential(id, of: organization, provider)
        },
    ]

    /// Every table, told of again and again as it goes on.
    package func run(_ report: (Progress) -> Void) async throws {
        for table in Self.tables {
            var progress = Progress(table: table.name)
            var last: UUID?
            repeat {
                last = try await rewrapBatch(of: table, after: last, &progress)
                report(progress)
            } while last != nil
        }
    }

    /// Says the last row that it looked at; `nil` behind the end.
    private func rewrapBatch(
        of table: Table, after last: UUID?, _ progress: inout Progress
    ) async throws -> UUID? {
        let (last, rewrapped, unreadable) = try await pool.transaction(in: .system) { transaction in
            let rows = try await transaction.query(
                """
                SELECT \(unsafeSQL: table.key), \(unsafeSQL: table.organization), \(unsafeSQL: table.detail),
                    sealed, wrapped_key, master_version
                FROM \(unsafeSQL: table.name)
                WHERE master_version <> \(vault.newestVersion)
                  AND (\(last)::uuid IS NULL OR \(unsafeSQL: table.key) > \(last))
                ORDER BY \(unsafeSQL: table.key) LIMIT \(Self.batch)
                """
            ).decode((UUID, UUID?, String, [UInt8], [UInt8], Int16).self)
            var updates: [SQL] = []
            var unreadable: [UUID] = []
            for (id, organization, detail, sealed, wrappedKey, version) in rows {
                let old = Sealed(sealed: sealed, wrappedKey: wrappedKey, masterVersion: version)
                do throws(Vault.Failure) {
                    guard let new = try vault.rewrap(old, at: table.place(id, organization, detail)) else {
                        continue
                    }
                    // One that was replaced meanwhile stays as it is: it is under the newest key already.
                    updates.append(
                        """
                        UPDATE \(unsafeSQL: table.name)
                        SET wrapped_key = \(new.wrappedKey), master_version = \(new.masterVersion)
                        WHERE \(unsafeSQL: table.key) = \(id) AND wrapped_key = \(wrappedKey)
                        """)
                } catch {
                    unreadable.append(id)
                }
            }
            let rewrapped = try await transaction.pipeline(updates).reduce(0) { $0 + $1.affectedRows }
            return (rows.count == Self.batch ? rows.last?.0 : nil, rewrapped, unreadable)
        }
        progress.rewrapped += rewrapped
        progress.unreadable += unreadable
        return last
    }
}
