package import Base
package import HTTPClient

/// How mails leave the house.
package struct MailDelivery: Sendable {
    /// Returns when somebody else has taken responsibility for the mail.
    let deliver: @Sendable (OutgoingMail) async throws -> Void

    package static func smtp(_ client: SMTPClient, from sender: MailAddress) -> MailDelivery {
        MailDelivery { mail in
            let text = try mail.message.wire(from: sender, id: mail.id, at: mail.createdAt)
            try await client.send(text, from: sender.address, to: mail.message.recipient)
        }
    }

    /// Into the log, for development: with the links that open accounts.
    package static func log(_ logger: Logger) -> MailDelivery {
        MailDelivery { mail in
            let text = mail.message.text.split(separator: "\n").joined(separator: " ")
            logger.info(
                "mail", ("to", "\(mail.message.recipient)"), ("subject", "\(mail.message.subject)"),
                ("text", "\(text)"))
        }
    }
}
