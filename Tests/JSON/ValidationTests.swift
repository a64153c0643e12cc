import Foundation
import Testing

@testable import JSON

struct ValidationTests {
    @Test(arguments: Corpus.valid)
    func `a valid document is read`(_ text: String) { #expect(reason(text) == nil) }

    @Test(arguments: Corpus.invalid)
    func `an invalid document is refused`(_ text: String) {
        let error = reason(text)
        #expect(error != nil)
        if let error { #expect(error.offset >= 0 && error.offset <= text.utf8.count) }
    }

    @Test func `bytes that are not UTF-8 are refused wherever they stand`() {
        for bytes in Corpus.invalidUTF8 {
            for padding in 0...17 {
                let before = [0x22] + [UInt8](repeating: 0x61, count: padding)
                #expect(reason(before + bytes + [0x22])?.reason == .invalidUTF8, "\(bytes) after \(padding)")
                #expect(reason([0x7B] + before + bytes + [0x22, 0x3A, 0x31, 0x7D])?.reason == .invalidUTF8)
            }
            #expect(reason(bytes) != nil)
            #expect(reason([0x22] + bytes) != nil)
        }
    }

    @Test func `every code point is read back from its bytes and from its escapes`() throws {
        for value in stride(from: UInt32(0x20), through: 0x10FFFF, by: 251) {
            guard let scalar = Unicode.Scalar(value), scalar != "\"", scalar != "\\" else { continue }
            let raw = try parse("\"\(scalar)\"")
            let escaped = try parse(
                "\"" + String(scalar).utf16.map { String(format: "\\u%04x", $0) }.joined() + "\"")
            #expect(raw.root.string?.unicodeScalars.elementsEqual([scalar]) == true)
            #expect(raw.canonical() == escaped.canonical())
        }
    }

    @Test func `a cut document is never valid`() {
        let document = Array(#"{"a":[1.5e3,true,null,{"\u00e9\ud83d\ude00":"日本語\n"}],"b":false}"#.utf8)
        #expect(reason(document) == nil)
        for length in 0..<document.count { #expect(reason(Array(document[..<length])) != nil) }
    }

    @Test func `messages name the place and the way out`() {
        #expect(
            reason("{\"a\":1 \"b\"}")?.description == "unexpected character at byte 7: expected ',' or '}'")
        #expect(reason("{\"model\":1,\"model\":2}")?.description == "duplicate key \"model\" at byte 11")
        #expect(reason(Corpus.nested(65))?.description == "nesting deeper than 64 at byte 64")
        #expect(reason([0x22, 0xFF, 0x22])?.description == "invalid UTF-8 at byte 1")
        #expect(reason("[1,")?.description == "the document ends at byte 3: expected a value")
        #expect(
            reason("{} x")?.description == "unexpected character at byte 3: expected the end of the document")
        #expect(reason("\u{FEFF}{}")?.description == "a byte order mark is not allowed")
        #expect(reason(" ")?.description == "the document is empty")
    }

    @Test func `a message never echoes more of a key than its bound`() throws {
        let key = String(repeating: "k", count: 10_000)
        let message = try #require(reason("{\"\(key)\":1,\"\(key)\":2}")).description
        #expect(message.count < 120)
        let hostile = try #require(reason(#"{"\u001b[2J\n\"":1,"\u001b[2J\n\"":2}"#)).description
        #expect(hostile.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }

    @Test func `the depth limit can be lowered`() throws {
        _ = try JSONDocument(parsing: Array("[[1]]".utf8), maximumDepth: 2)
        #expect(throws: JSONError(.tooDeep(limit: 1), at: 1)) {
            try JSONDocument(parsing: Array("[[1]]".utf8), maximumDepth: 1)
        }
    }
}

struct HostileDocumentTests {
    @Test(.timeLimit(.minutes(1)))
    func `a hundred thousand distinct keys are read and the last duplicate is found`() throws {
        let members = (0..<100_000).map { "\"k\($0)\":0" }.joined(separator: ",")
        let document = try parse("{\(members)}")
        #expect(document.root.count == 100_000)
        #expect(reason("{\(members),\"k99999\":1}")?.reason == .duplicateKey("k99999"))
        #expect(reason("{\(members),\"k\\u0030\":1}")?.reason == .duplicateKey("k0"))
    }

    @Test(.timeLimit(.minutes(1)))
    func `keys that agree in their first and last bytes do not make it slow`() throws {
        let members = (0..<20_000).map { index in
            let digits = String(index)
            let middle = String(repeating: "0", count: 8 - digits.count) + digits
            return "\"same start\(middle)same end\":0"
        }
        #expect(try parse("{" + members.joined(separator: ",") + "}").root.count == 20_000)
    }

    @Test(.timeLimit(.minutes(1)))
    func `large objects inside each other keep their keys apart`() throws {
        let members = (0..<100).map { "\"k\($0)\":0" }
        var text = "{" + members.joined(separator: ",") + "}"
        for _ in 0..<10 {
            text =
                "{" + (members[..<50] + ["\"inner\":\(text)"] + members[50...]).joined(separator: ",") + "}"
        }
        #expect(reason(text) == nil)
        #expect(reason(String(text.dropLast()) + ",\"k10\":1}")?.reason == .duplicateKey("k10"))
    }

    @Test(.timeLimit(.minutes(1)))
    func `the index of half a million arrays stays small`() throws {
        let document = try parse("[" + [String](repeating: "[]", count: 500_000).joined(separator: ",") + "]")
        #expect(document.storage.containers.count == 500_001)
        #expect(MemoryLayout<Container>.stride == 8)
    }
}
