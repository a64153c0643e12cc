package import Base
package import Postgres

extension IdentityStore {
    /// Puts a mail to each owner of an organization with those that are to be sent, in the transaction that it tells of.
    package func tellOwners(
        of organization: UUID, _ notice: OwnerNotice, _ transaction: PostgresTransaction
    ) async throws {
        let owners = try await transaction.query(
            """
            SELECT email FROM memberships JOIN users ON users.id = user_id
            WHERE org_id = \(organization) AND role = 'owner' ORDER BY users.id LIMIT \(Self.mostOwnersTold)
            """
        ).decode(String.self)
        for owner in owners {
            try await enqueue(
                MailMessage(
                    to: owner, subject: notice.subject,
                    text: "\(notice.text)\n\n\(settings.publicURL)/billing"), transaction)
        }
    }

    private static let mostOwnersTold = 20
}

/// What the owners of an organization are told by mail. A link to where they can do something about it comes below.
package struct OwnerNotice: Sendable {
    package let subject: String
    package let text: String

    package init(subject: String, text: String) {
        self.subject = subject
        self.text = text
    }
}
