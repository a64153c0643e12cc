import Base
import Postgres

extension IdentityStore {
    /// Puts a mail with those that are to be sent, in the transaction that it tells of.
    func enqueue(_ message: MailMessage, _ transaction: PostgresTransaction) async throws {
        let id = UUID.make(at: time.timestamp())
        let sealed = vault.seal(Array(message.text.utf8), at: .mail(id))
        try await transaction.execute(
            """
            INSERT INTO mail_outbox (id, recipient, subject, sealed, wrapped_key, master_version)
            VALUES (\(id), \(message.recipient), \(message.subject), \(sealed.sealed), \(sealed.wrappedKey),
                \(sealed.masterVersion))
            """)
    }

    /// Those that wait, the oldest first.
    package func unsentMails(to recipient: String?) async throws -> [MailMessage] {
        try await pool.transaction(in: .system, readOnly: true) { transaction in
            let rows = try await transaction.query(
                """
                SELECT id, recipient, subject, sealed, wrapped_key, master_version FROM mail_outbox
                WHERE sent_at IS NULL AND sealed IS NOT NULL
                  AND (\(recipient)::text IS NULL OR recipient = \(recipient))
                ORDER BY id LIMIT 1000
                """)
            return try rows.map { row in
                let text = try vault.open(Sealed(row), at: .mail(row.decode(UUID.self, "id")))
                return MailMessage(
                    to: try row.decode(String.self, "recipient"),
                    subject: try row.decode(String.self, "subject"),
                    text: String(decoding: text, as: UTF8.self))
            }
        }
    }
}

extension Vault.Place {
    static func mail(_ id: UUID) -> Vault.Place { Vault.Place(kind: "mail", organization: nil, row: id) }
}
