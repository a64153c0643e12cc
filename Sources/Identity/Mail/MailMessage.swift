import Base

/// A mail in plain text.
package struct MailMessage: Equatable, Sendable {
    package var recipient: String
    package var subject: String
    package var text: String

    package init(to recipient: String, subject: String, text: String) {
        self.recipient = recipient
        self.subject = subject
        self.text = text
    }
}

extension MailMessage {
    static func confirmAddress(_ email: String, token: Secret, at url: String) -> MailMessage {
        MailMessage(
            to: email, subject: "Confirm your e-mail address",
            text: """
                Welcome to Hivegate. Open this address to confirm that this mailbox is yours:

                \(url)/verify-email?token=\(token.reveal())

                It is good for 24 hours. If you did not sign up, do nothing.
                """)
    }

    static func accountExists(_ email: String, at url: String) -> MailMessage {
        MailMessage(
            to: email, subject: "You already have an account",
            text: """
                Somebody, perhaps you, tried to sign up to Hivegate with this address. There is an account with it
                already. Sign in, or set a new password, here:

                \(url)/login

                If it was not you, do nothing: nobody has learned that the account exists.
                """)
    }

    static func resetPassword(_ email: String, token: Secret, at url: String) -> MailMessage {
        MailMessage(
            to: email, subject: "Set a new password",
            text: """
                Somebody, perhaps you, asked to set a new password. Open this address to do so:

                \(url)/reset-password?token=\(token.reveal())

                It is good for one hour and for one use. If it was not you, do nothing.
                """)
    }

    static func passwordChanged(_ email: String, at url: String) -> MailMessage {
        MailMessage(
            to: email, subject: "Your password was changed",
            text: """
                The password of your account was changed, and all its other sessions were ended. If it was not you, set
                a new one at once:

                \(url)/reset-password
                """)
    }

    static func invitation(
        _ email: String, to organization: String, token: Secret, at url: String
    ) -> MailMessage {
        // A name may hold what a mail program would take for a link or a line of its own.
        let name = organization.filter { $0.isLetter || $0.isNumber || " -_'&,()".contains($0) }
        return MailMessage(
            to: email, subject: "You are invited to an organization on Hivegate",
            text: """
                You are invited to join the organization "\(name)". Open this address to accept:

                \(url)/invitation?token=\(token.reveal())

                It is good for seven days. If you know nobody there, do nothing.
                """)
    }
}
