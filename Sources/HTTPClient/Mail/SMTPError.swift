/// Why a mail was not taken.
package struct SMTPError: Error, Sendable, CustomStringConvertible {
    package let kind: Kind
    /// What the server said, where it said something.
    package let code: Int?
    /// What the library says; for the log.
    package let detail: String

    package enum Kind: String, Sendable {
        /// The server will not have this mail: it is no use to try again.
        case refused
        /// The server will not have it now.
        case deferred
        /// The server does not let us in: that is a matter of its settings or ours, not of the mail.
        case notAdmitted
        case unreachable, certificate, timeout, connectionLost, tooManyTransfers, cancelled
    }

    package init(_ kind: Kind, code: Int? = nil, detail: String = "") {
        self.kind = kind
        self.code = code
        self.detail = detail
    }

    package var isPermanent: Bool { kind == .refused }

    /// Safe to keep and to show.
    package var description: String {
        let reason =
            switch kind {
            case .refused: "the mail server refuses it"
            case .deferred: "the mail server does not take it at the moment"
            case .notAdmitted: "the mail server does not admit us"
            case .unreachable: "the mail server cannot be reached"
            case .certificate: "the mail server offers no TLS, or its certificate cannot be verified"
            case .timeout: "the mail server did not answer in time"
            case .connectionLost: "the mail server closed the connection"
            case .tooManyTransfers: "too many mails are under way"
            case .cancelled: "the sending was given up"
            }
        return code.map { "\(reason) (\($0))" } ?? reason
    }
}
