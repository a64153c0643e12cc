package import Base
import HTTPWire

extension MailMessage {
    /// A mail that cannot be written without becoming another one.
    package struct Malformed: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// The message as it is sent (RFC 5322), with its lines ended by CRLF. The same mail has the same text each time, so
    /// that a server that gets it twice can tell.
    package func wire(from sender: MailAddress, id: UUID, at time: Timestamp) throws(Malformed) -> [UInt8] {
        guard MailAddress.isAddress(recipient) else {
            throw Malformed(description: "the recipient is no address")
        }
        guard !subject.unicodeScalars.contains(where: Self.isControl) else {
            throw Malformed(description: "the subject holds a control character")
        }
        var lines: [UInt8] = []
        lines.append("From: \(Self.mailbox(sender))\r\n")
        lines.append("To: <\(recipient)>\r\n")
        lines.append("Subject: \(Self.unstructured(subject))\r\n")
        lines.append("Date: ")
        Self.append(time, to: &lines)
        lines.append("\r\nMessage-ID: <\(id)@\(sender.domain)>\r\n")
        // So that no holiday notice answers.
        lines.append("Auto-Submitted: auto-generated\r\n")
        lines.append("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n")
        lines.append("Content-Transfer-Encoding: quoted-printable\r\n\r\n")
        QuotedPrintable.append(text, to: &lines)
        return lines
    }

    /// The form of HTTP, whose zone mails write as a number.
    private static func append(_ time: Timestamp, to lines: inout [UInt8]) {
        HTTPDate.append(time, to: &lines)
        lines.removeLast(3)
        lines.append("+0000")
    }

    // MARK: Fields

    private static func mailbox(_ address: MailAddress) -> String {
        guard let name = address.name else { return "<\(address.address)>" }
        guard isPlain(name) else { return "\(encodedWords(name)) <\(address.address)>" }
        let quoted = name.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined()
        return "\"\(quoted)\" <\(address.address)>"
    }

    private static func unstructured(_ text: String) -> String { isPlain(text) ? text : encodedWords(text) }

    /// Printable ASCII that nothing takes for an encoded word, and short enough for a line.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.count <= 66 && text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !text.contains("=?")
            && text.first != " " && text.last != " "
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    /// RFC 2047. A word has at most 75 characters: 45 bytes in base64, and never a part of a character.
    private static func encodedWords(_ text: String) -> String {
        var words: [[UInt8]] = [[]]
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if words[words.count - 1].count + bytes.count > 45 { words.append([]) }
            words[words.count - 1] += bytes
        }
        return words.map { "=?utf-8?B?\(Base64.encode($0))?=" }.joined(separator: "\r\n ")
    }
}
