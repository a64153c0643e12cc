import Base
import Identity
import Testing

/// What is handed to mail servers, as another program reads it.
struct MailMessageTests {
    private static let id = UUID(bytes: Array(0..<16))
    private static let time = Timestamp(seconds: 1_795_228_100)

    private func lines(
        _ subject: String = "Hello", text: String = "Text", to recipient: String = "ann@example.com",
        from sender: String = "Hivegate <hivegate@gate.example>"
    ) throws -> [String] {
        let sender = try #require(MailAddress(sender))
        let wire = try MailMessage(to: recipient, subject: subject, text: text)
            .wire(from: sender, id: try #require(Self.id), at: Self.time)
        let whole = String(decoding: wire, as: UTF8.self)
        // Swift takes CRLF for one character.
        #expect(!whole.contains("\n") && !whole.contains("\r"), "every line ends with CRLF")
        return whole.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
    }

    private func field(_ name: String, _ lines: [String]) -> String? {
        lines.prefix { !$0.isEmpty }.first { $0.hasPrefix("\(name): ") }.map {
            String($0.dropFirst(name.count + 2))
        }
    }

    /// Written by hand, not by the code that is tested.
    private func decoded(quotedPrintable lines: ArraySlice<String>) -> String {
        var bytes: [UInt8] = []
        for line in lines {
            var rest = Array(line.utf8)[...]
            while let byte = rest.popFirst() {
                guard byte == UInt8(ascii: "=") else {
                    bytes.append(byte)
                    continue
                }
                if rest.isEmpty { break }
                bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
                rest = rest.dropFirst(2)
            }
            if line.utf8.last != UInt8(ascii: "=") { bytes.append(0x0A) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `a mail has the fields that mail servers ask for`() throws {
        let lines = try lines()
        #expect(field("From", lines) == "\"Hivegate\" <hivegate@gate.example>")
        #expect(field("To", lines) == "<ann@example.com>")
        #expect(field("Subject", lines) == "Hello")
        #expect(field("Date", lines) == "Sat, 21 Nov 2026 02:28:20 +0000")
        #expect(field("Message-ID", lines) == "<00010203-0405-0607-0809-0a0b0c0d0e0f@gate.example>")
        #expect(field("MIME-Version", lines) == "1.0")
        #expect(field("Content-Type", lines) == "text/plain; charset=utf-8")
        #expect(lines.suffix(3) == ["", "Text", ""])
    }

    @Test(arguments: [
        "Grüße aus Köln", "=?utf-8?B?aGk=?=", String(repeating: "ein langer Betreff ", count: 20),
        "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 and 日本語 and plain, and more than one word can hold",
    ])
    func `a subject that is not plain arrives as it was written`(subject: String) throws {
        let lines = try lines(subject)
        let start = try #require(lines.firstIndex { $0.hasPrefix("Subject: ") })
        var words = [lines[start].dropFirst("Subject: ".count)]
        for line in lines[(start + 1)...] where line.hasPrefix(" ") { words.append(line.dropFirst()) }
        var bytes: [UInt8] = []
        for word in words {
            #expect(word.count <= 75 && word.hasPrefix("=?utf-8?B?") && word.hasSuffix("?="))
            let part = try #require(Base64.decode(word.dropFirst(10).dropLast(2)))
            #expect(String(validating: part, as: UTF8.self) != nil, "a character is cut in two")
            bytes += part
        }
        #expect(String(decoding: bytes, as: UTF8.self) == subject)
    }

    @Test(arguments: [
        "", "one line", "two\nlines", "end with a space \nand a tab\t\n", ".\n..\n.three dots",
        String(repeating: "https://example.com/", count: 40), "ä=ö\rü", String(repeating: "ä", count: 100),
        String(repeating: "a", count: 76), String(repeating: "a", count: 75) + " ",
    ])
    func `a text arrives as it was written, in short lines of ASCII`(text: String) throws {
        let lines = try lines(text: text)
        let body = lines[(try #require(lines.firstIndex(of: "")) + 1)...].dropLast()
        for line in body {
            #expect(line.utf8.count <= 76 && line.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == 9 })
            #expect(line.last != " " && line.last != "\t")
        }
        #expect(decoded(quotedPrintable: body) == "\(text)\n")
    }

    @Test(arguments: [
        "a@x.example\r\nBcc: b@x.example", "a@x.example>\r\nDATA", "a b@x.example",
        "a@x.example, b@x.example",
        "<a@x.example>", "a@x.example\0", "\u{FF41}@x.example", "a", "@x.example", "a@", "a@b@c",
        "a..b@x.example",
    ])
    func `a recipient that could be read as more than one address is refused`(recipient: String) {
        #expect(throws: MailMessage.Malformed.self) { try lines(to: recipient) }
    }

    @Test(arguments: ["a\r\nBcc: b@x.example", "a\nb", "a\rb", "a\0b", "a\u{7F}", "a\u{85}b", "a\u{2028}b"])
    func `a subject with a line break is refused`(subject: String) {
        #expect(throws: MailMessage.Malformed.self) { try lines(subject) }
    }

    @Test func `a sender's name is quoted or encoded`() throws {
        #expect(
            field("From", try lines(from: #"The "Gate", Inc. <g@x.example>"#))
                == #""The \"Gate\", Inc." <g@x.example>"#)
        #expect(field("From", try lines(from: "Tür <g@x.example>")) == "=?utf-8?B?VMO8cg==?= <g@x.example>")
        #expect(field("From", try lines(from: "g@x.example")) == "<g@x.example>")
        #expect(MailAddress("Gate\r\nBcc: b <g@x.example>") == nil)
        #expect(MailAddress("Gate") == nil)
    }
}
