import Base
import HTTPClient
import HTTPWire
import Identity

/// How mails are sent, if they are.
struct MailSettings {
    /// `nil`: mails stay in the outbox.
    var way: Way?
    /// How we call ourselves to a mail server.
    var hostName = "localhost"

    enum Way {
        case smtp(SMTPServer, from: MailAddress)
        /// For development.
        case log
    }

    /// Whether mails reach those whom they are for.
    var reachesPeople: Bool {
        if case .smtp = way { true } else { false }
    }

    init() {}

    init(_ reader: inout EnvironmentReader, publicURL: String) {
        hostName = (try? URLAddress(publicURL))?.host ?? "localhost"
        // An address needs a domain, and an IP address is none.
        let domain = IPAddress(hostName) == nil ? hostName : "localhost"
        let url = reader.secret(
            "SMTP_URL",
            "the mail server, such as smtp://user:password@mail.example:587 or smtps://…; without it, no mail is sent"
        )
        let from = reader.text(
            "MAIL_FROM", default: "Hivegate <hivegate@\(domain)>", "the sender of mails")
        let sender = MailAddress(from)
        if sender == nil {
            reader.fault("MAIL_FROM", "must be an address, such as Hivegate <hivegate@example.com>")
        }
        let isLogged = reader.choice(
            "MAIL_TO_LOG", default: "false", [("false", false), ("true", true)],
            "whether mails are written to the log where SMTP_URL is not set; they hold links that open accounts"
        )
        way = isLogged ? .log : nil
        guard let url else { return }
        do throws(SMTPServer.Fault) {
            let server = try SMTPServer(url)
            if let sender { way = .smtp(server, from: sender) }
        } catch {
            reader.fault("SMTP_URL", error.description)
        }
    }
}
