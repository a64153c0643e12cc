/// A number as it is written, in decimals: what a schema's bound is compared with, since to round first would let
/// through what lies just beyond.
struct DecimalNumber: Comparable {
    private let isNegative: Bool
    /// Without zeros at either end; empty for zero.
    private let digits: [UInt8]
    /// Where the point stands: 0.digits × 10^exponent.
    private let exponent: Int

    /// - Parameter text: a number of JSON.
    init(_ text: String) {
        var rest = Array(text.utf8)[...]
        isNegative = rest.first == 0x2D
        if isNegative { rest.removeFirst() }
        let mark = rest.firstIndex { $0 | 0x20 == 0x65 } ?? rest.endIndex
        let written = rest[mark...].dropFirst()
        let point = rest[..<mark].firstIndex(of: 0x2E) ?? mark
        let all = rest[..<point] + rest[..<mark].dropFirst(point - rest.startIndex + 1)
        let significant = all.drop { $0 == 0x30 }
        let leading = all.count - significant.count
        digits = Array(significant.reversed().drop { $0 == 0x30 }.reversed())
        exponent =
            digits.isEmpty
            ? 0 : point - rest.startIndex - leading + (Int(String(decoding: written, as: UTF8.self)) ?? 0)
    }

    static func < (left: DecimalNumber, right: DecimalNumber) -> Bool {
        if left.sign != right.sign { return left.sign < right.sign }
        return left.isNegative ? right.isSmaller(than: left) : left.isSmaller(than: right)
    }

    private var sign: Int { digits.isEmpty ? 0 : isNegative ? -1 : 1 }

    private func isSmaller(than other: DecimalNumber) -> Bool {
        if exponent != other.exponent { return exponent < other.exponent }
        return digits.lexicographicallyPrecedes(other.digits)
    }

    static func == (left: DecimalNumber, right: DecimalNumber) -> Bool {
        left.sign == right.sign && left.exponent == right.exponent && left.digits == right.digits
    }
}

extension ClosedRange<Double> {
    /// Whether a number of JSON lies within, exactly.
    func contains(_ number: String) -> Bool {
        let number = DecimalNumber(number)
        return DecimalNumber(lowerBound.description) <= number
            && number <= DecimalNumber(upperBound.description)
    }
}
