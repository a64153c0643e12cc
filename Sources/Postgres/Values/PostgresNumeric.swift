import Base

/// A `numeric` as decimal text: `-12.3400`. It keeps every digit; arithmetic belongs to the database or
/// `Money`.
package struct PostgresNumeric: Hashable, PostgresCodable, CustomStringConvertible {
    package let text: String

    /// `nil` where `text` is not a plain decimal (`[-+]digits[.digits]`) or `NaN`, or is longer than Postgres
    /// takes.
    package init?(_ text: String) {
        let digits = text.utf8.drop { $0 == 0x2D || $0 == 0x2B }
        let parts = digits.split(separator: 0x2E, omittingEmptySubsequences: false)
        let isDecimal =
            text.utf8.count - digits.count <= 1 && parts.count <= 2
            && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }
        guard isDecimal || text == "NaN", text.utf8.count <= Self.maximumLength else { return nil }
        self.text = text
    }

    private init(unchecked text: String) { self.text = text }

    package var description: String { text }

    /// Postgres's own limit is 131,072 digits before the point and 16,383 after it; nothing here comes near.
    private static let maximumLength = 16_384
    /// Digits go over the wire in groups of four.
    private static let groupSize = 4

    private enum Sign {
        static let positive: UInt16 = 0x0000
        static let negative: UInt16 = 0x4000
        static let notANumber: UInt16 = 0xC000
        static let infinity: UInt16 = 0xD000
        static let negativeInfinity: UInt16 = 0xF000
    }

    package static var postgresType: PostgresType { .numeric }

    package func encode(into bytes: inout [UInt8]) {
        if text == "NaN" {
            for word in [0, 0, Sign.notANumber, 0] { bytes.append(bigEndian: word) }
            return
        }
        let isNegative = text.utf8.first == 0x2D
        let parts = text.utf8.drop { $0 == 0x2D || $0 == 0x2B }.split(separator: 0x2E)
        let scale = parts.count == 2 ? parts[1].count : 0
        var whole = parts[0].map { $0 - 0x30 }
        var fraction = parts.count == 2 ? parts[1].map { $0 - 0x30 } : []
        // Groups are aligned at the point.
        whole.insert(
            contentsOf: repeatElement(
                0, count: (Self.groupSize - whole.count % Self.groupSize) % Self.groupSize), at: 0)
        while fraction.count % Self.groupSize != 0 { fraction.append(0) }
        let digits = whole + fraction
        let groups = stride(from: 0, to: digits.count, by: Self.groupSize).map { start in
            digits[start..<start + Self.groupSize].reduce(Int16(0)) { $0 * 10 + Int16($1) }
        }
        bytes.append(bigEndian: Int16(groups.count))
        bytes.append(bigEndian: Int16(whole.count / Self.groupSize - 1))
        bytes.append(bigEndian: isNegative ? Sign.negative : Sign.positive)
        bytes.append(bigEndian: Int16(scale))
        for group in groups { bytes.append(bigEndian: group) }
    }

    package static func decode(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> PostgresNumeric {
        let bytes = try cell.bytes(of: .numeric)
        func word(_ index: Int) -> UInt16 {
            UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
        }
        guard bytes.count >= 8, bytes.count == 8 + 2 * Int(word(0)) else {
            throw .malformed(.numeric, reason: "\(bytes.count) bytes")
        }
        switch word(2) {
        case Sign.notANumber: return PostgresNumeric(unchecked: "NaN")
        case Sign.infinity: return PostgresNumeric(unchecked: "Infinity")
        case Sign.negativeInfinity: return PostgresNumeric(unchecked: "-Infinity")
        default: break
        }
        let groupCount = Int(word(0))
        let weight = Int(Int16(bitPattern: word(1)))
        let scale = Int(word(3))
        func group(_ index: Int) -> Int { index >= 0 && index < groupCount ? Int(word(4 + index)) : 0 }

        var text: [UInt8] = []
        if word(2) == Sign.negative { text.append(0x2D) }
        text.append(decimal: weight >= 0 ? group(0) : 0)
        for index in stride(from: 1, through: weight, by: 1) {
            text.append(decimal: group(index), width: groupSize)
        }
        if scale > 0 {
            text.append(0x2E)
            let start = text.count
            var index = weight + 1
            while text.count - start < scale {
                text.append(decimal: group(index), width: groupSize)
                index += 1
            }
            text.removeLast(text.count - start - scale)
        }
        return PostgresNumeric(unchecked: String(decoding: text, as: UTF8.self))
    }
}
