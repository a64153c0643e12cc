import Base
package import Postgres

extension IdentityStore {
    /// Puts a mail with those that are to be sent, in the transaction that it tells of.
    package func enqueue(_ message: MailMessage, _ transaction: PostgresTransaction) async throws {
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
                WHERE sent_at IS NULL AND given_up_at IS NULL AND sealed IS NOT NULL
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

    // MARK: Sending

    /// Links in mails are good for a week at most: after that a mail is of no use to anybody.
    private static let mailLifetime = "7 days"
    /// So long it is known that a mail was sent.
    private static let mailMemory = "30 days"

    /// Takes mails that are due out of the outbox: nobody else gets them for the duration of `lease`. The database's clock
    /// decides, which all processes share.
    func takeMails(atMost count: Int, for lease: Duration) async throws -> [OutgoingMail] {
        try await pool.transaction(in: .system) { transaction in
            let rows = try await transaction.query(
                """
                UPDATE mail_outbox SET attempts = attempts + 1,
                    next_attempt_at = now() + \(Self.seconds(lease)) * interval '1 second'
                WHERE id IN (
                    SELECT id FROM mail_outbox
                    WHERE sent_at IS NULL AND given_up_at IS NULL AND next_attempt_at <= now() AND sealed IS NOT NULL
                    ORDER BY next_attempt_at LIMIT \(count) FOR UPDATE SKIP LOCKED)
                RETURNING id, recipient, subject, created_at, attempts, sealed, wrapped_key, master_version
                """)
            var mails: [OutgoingMail] = []
            for row in rows {
                let id = try row.decode(UUID.self, "id")
                guard let text = try? vault.open(Sealed(row), at: .mail(id)) else {
                    try await transaction.execute(Self.giveUp(id, reason: "its text does not open"))
                    continue
                }
                mails.append(
                    OutgoingMail(
                        id: id,
                        message: MailMessage(
                            to: try row.decode(String.self, "recipient"),
                            subject: try row.decode(String.self, "subject"),
                            text: String(decoding: text, as: UTF8.self)),
                        createdAt: try row.decode(Timestamp.self, "created_at"),
                        attempt: Int(try row.decode(Int32.self, "attempts"))))
            }
            return mails
        }
    }

    /// The text goes: its links open accounts.
    func markSent(_ mail: OutgoingMail) async throws {
        _ = try await pool.transaction(in: .system) { transaction in
            try await transaction.execute(
                """
                UPDATE mail_outbox SET sent_at = now(), last_error = NULL,
                    sealed = NULL, wrapped_key = NULL, master_version = NULL
                WHERE id = \(mail.id)
                """)
        }
    }

    func markFailed(_ mail: OutgoingMail, reason: String, isGivenUp: Bool) async throws {
        _ = try await pool.transaction(in: .system) { transaction in
            try await transaction.execute(
                isGivenUp
                    ? Self.giveUp(mail.id, reason: reason)
                    : """
                    UPDATE mail_outbox SET last_error = \(reason),
                        next_attempt_at = now() + \(Self.seconds(mail.pause)) * interval '1 second'
                    WHERE id = \(mail.id) AND sent_at IS NULL
                    """)
        }
    }

    /// It was not tried after all.
    func giveBack(_ mail: OutgoingMail) async throws {
        _ = try await pool.transaction(in: .system) { transaction in
            try await transaction.execute(
                """
                UPDATE mail_outbox SET attempts = attempts - 1, next_attempt_at = now()
                WHERE id = \(mail.id) AND sent_at IS NULL AND attempts = \(Int32(mail.attempt))
                """)
        }
    }

    /// Gives up what has outlived its links, and deletes what is long past. Says how many wait.
    func careForOutbox() async throws -> Int {
        try await pool.transaction(in: .system) { transaction in
            try await transaction.execute(
                """
                UPDATE mail_outbox SET given_up_at = now(), last_error = coalesce(last_error, 'it was never sent'),
                    sealed = NULL, wrapped_key = NULL, master_version = NULL
                WHERE id IN (
                    SELECT id FROM mail_outbox WHERE sent_at IS NULL AND given_up_at IS NULL
                      AND next_attempt_at <= now() AND created_at < now() - \(Self.mailLifetime)::text::interval
                    LIMIT 1000 FOR UPDATE SKIP LOCKED)
                """)
            // Identifiers grow with time, so the oldest are found at once.
            try await transaction.execute(
                """
                DELETE FROM mail_outbox WHERE id IN (SELECT id FROM mail_outbox ORDER BY id LIMIT 1000)
                  AND coalesce(sent_at, given_up_at) < now() - \(Self.mailMemory)::text::interval
                """)
            let count = try await transaction.query(
                "SELECT count(*) FROM mail_outbox WHERE sent_at IS NULL AND given_up_at IS NULL")
            return Int(try count[0].decode(Int64.self))
        }
    }

    private static func giveUp(_ id: UUID, reason: String) -> SQL {
        """
        UPDATE mail_outbox SET given_up_at = now(), last_error = \(reason),
            sealed = NULL, wrapped_key = NULL, master_version = NULL
        WHERE id = \(id) AND sent_at IS NULL
        """
    }

    private static func seconds(_ duration: Duration) -> Int64 { duration.components.seconds }
}

extension Vault.Place {
    static func mail(_ id: UUID) -> Vault.Place { Vault.Place(kind: "mail", organization: nil, row: id) }
}
