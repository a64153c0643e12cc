/// Whom a mail is from or to: `hivegate@example.com`, or `Hivegate <hivegate@example.com>`.
package struct MailAddress: Equatable, Sendable {
    package let name: String?
    package let address: String

    package init?(_ text: String) {
        guard text.hasSuffix(">"), let bracket = text.lastIndex(of: "<") else {
            guard Self.isAddress(text) else { return nil }
            (name, address) = (nil, text)
            return
        }
        let address = String(text[text.index(after: bracket)...].dropLast())
        var name = text[..<bracket]
        while name.last == " " { name.removeLast() }
        guard Self.isAddress(address), name.unicodeScalars.count <= 200,
            !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return nil }
        self.name = name.isEmpty ? nil : String(name)
        self.address = address
    }

    package var domain: String { address.split(separator: "@").last.map(String.init) ?? address }

    /// Only what can stand in an envelope and in a header field without quotes: anything else could be read as more than
    /// one address, or as another field.
    package static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, text.utf8.count <= 254 else { return false }
        return parts[0].split(separator: ".", omittingEmptySubsequences: false).allSatisfy { isWord($0.utf8) }
            && parts[1].split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
                isLabel($0.utf8)
            }
    }

    private static let wordMarks = Array("!#$%&'*+/=?^_`{|}~-".utf8)

    private static func isWord(_ bytes: Substring.UTF8View) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { isAlphanumeric($0) || wordMarks.contains($0) }
    }

    private static func isLabel(_ bytes: Substring.UTF8View) -> Bool {
        !bytes.isEmpty && bytes.count <= 63 && bytes.allSatisfy { isAlphanumeric($0) || $0 == 0x2D }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
