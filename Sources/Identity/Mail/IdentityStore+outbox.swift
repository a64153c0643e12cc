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
}

extension Vault.Place {
    static func mail(_ id: UUID) -> Vault.Place { Vault.Place(kind: "mail", organization: nil, row: id) }
}
