import Base
import Foundation
import Testing

@testable import JSON

/// Another parser's opinion on the same bytes.
struct DifferentialTests {
    /// What we refuse on purpose and others let pass.
    private static func isStricter(_ reason: JSONError.Reason) -> Bool {
        switch reason {
        case .duplicateKey, .loneSurrogate, .tooDeep, .numberOutOfRange, .byteOrderMark: true
        default: false
        }
    }

    /// Foundation takes a comma before a closing bracket.
    private static func isTrailingComma(_ error: JSONError, _ bytes: [UInt8]) -> Bool {
        guard error.offset < bytes.count else { return false }
        let before = bytes[..<error.offset].last { !Scan.isWhitespace($0) }
        return before == 0x2C && (bytes[error.offset] == 0x5D || bytes[error.offset] == 0x7D)
    }

    private static func foundation(_ bytes: [UInt8]) -> Any? {
        try? JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
    }

    /// Foundation guesses UTF-16 and UTF-32 from zero bytes and byte order marks.
    private static func isComparable(_ bytes: [UInt8]) -> Bool {
        !bytes.contains(0) && !bytes.contains(0xFE) && !bytes.contains(0xFF)
            && !text(bytes).unicodeScalars.contains("\u{FEFF}")
    }

    private static func agrees(_ value: JSONValue, _ other: Any) -> Bool {
        switch value.kind {
        case .null: return other is NSNull
        case .bool: return (other as? NSNumber)?.boolValue == value.bool
        case .string:
            return (other as? String).map { Array($0.utf8) == Array((value.string ?? "").utf8) } ?? false
        case .number:
            guard let double = (other as? NSNumber)?.doubleValue else { return false }
            guard let own = value.double else { return true }
            return own == double || abs(own - double) <= abs(own) * 1e-15
        case .array:
            guard let others = other as? [Any], others.count == value.count else { return false }
            return zip(value.elements, others).allSatisfy { agrees($0, $1) }
        case .object:
            guard let others = other as? [String: Any] else { return false }
            // Foundation merges keys that are equal only by canonical equivalence.
            return value.members.allSatisfy { member in others[member.key.string] != nil }
        }
    }

    private func compare(_ bytes: [UInt8], _ note: String) {
        guard Self.isComparable(bytes) else { return }
        let other = Self.foundation(bytes)
        do throws(JSONError) {
            let document = try JSONDocument(parsing: bytes)
            // A number too large for a double is none to Foundation.
            guard let other else {
                #expect(bytes.contains { $0 | 0x20 == 0x65 }, "only we read \(text(bytes)) \(note)")
                return
            }
            #expect(Self.agrees(document.root, other), "we disagree about \(text(bytes)) \(note)")
        } catch {
            let isFine = other == nil || Self.isStricter(error.reason) || Self.isTrailingComma(error, bytes)
            #expect(isFine, "only we refuse \(text(bytes)): \(error) \(note)")
        }
    }

    @Test func `Foundation agrees on the corpus`() {
        for text in Corpus.valid + Corpus.invalid { compare(Array(text.utf8), "") }
        for bytes in Corpus.invalidUTF8 { compare([0x22] + bytes + [0x22], "\(bytes)") }
    }

    @Test(arguments: [UInt64(1), 2, 3, .random(in: 0 ... .max)])
    func `Foundation agrees on random documents and on what mutations make of them`(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let alphabet =
            Array(#"{}[]:,"\u0123456789eE+-. truefalsn"#.utf8) + [0x0A, 0x1F, 0x80, 0xC3, 0xA9, 0xED, 0xF0]
        for _ in 0..<300 {
            let bytes = Array(Model.random(&generator).written(&generator).utf8)
            compare(bytes, "seed \(seed)")
            for _ in 0..<4 {
                var mutant = bytes
                for _ in 0...generator.below(2) {
                    let place = generator.below(mutant.count + 1)
                    switch generator.below(3) {
                    case 0 where place < mutant.count: mutant[place] = generator.pick(alphabet)
                    case 1 where place < mutant.count: mutant.remove(at: place)
                    default: mutant.insert(generator.pick(alphabet), at: place)
                    }
                }
                compare(mutant, "seed \(seed)")
            }
        }
    }
}
