/// A number as it is written, in decimals: what a schema's bound is compared with, since to round first would let
/// through what lies just beyond.
package struct DecimalNumber: Comparable, Sendable {
    private let isNegative: Bool
    /// Without zeros at either end; empty for zero.
    private let digits: [UInt8]
    /// Where the point stands: 0.digits × 10^exponent.
    private let exponent: Int

    /// - Parameter text: a number of JSON.
    package init(_ text: String) {
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

    package static func < (left: DecimalNumber, right: DecimalNumber) -> Bool {
        if left.sign != right.sign { return left.sign < right.sign }
        return left.isNegative ? right.isSmaller(than: left) : left.isSmaller(than: right)
    }

    private var sign: Int { digits.isEmpty ? 0 : isNegative ? -1 : 1 }

    private func isSmaller(than other: DecimalNumber) -> Bool {
        if exponent != other.exponent { return exponent < other.exponent }
        return digits.lexicographicallyPrecedes(other.digits)
    }

    package static func == (left: DecimalNumber, right: DecimalNumber) -> Bool {
        left.sign == right.sign && left.exponent == right.exponent && left.digits == right.digits
    }

    // MARK: Division

    /// A divisor has no more digits than this, so that remainders fit 64 bits.
    package static let largestDivisorDigits = 18

    package var isPositive: Bool { sign > 0 }

    /// Whether it has nothing behind the point.
    package var isWhole: Bool { digits.isEmpty || exponent >= digits.count }

    /// Whether others can be divided by it.
    package var isDivisor: Bool { isPositive && digits.count <= Self.largestDivisorDigits }

    /// Whether it is `divisor` times a whole number, exactly.
    package func isMultiple(of divisor: DecimalNumber) -> Bool {
        precondition(divisor.isDivisor, "not a divisor")
        if digits.isEmpty { return true }
        // Both are whole numbers without zeros at the end, times a power of ten.
        let shift = (exponent - digits.count) - (divisor.exponent - divisor.digits.count)
        // Then the quotient's digits would have to end in a zero.
        if shift < 0 { return false }
        let modulus = divisor.digits.reduce(UInt64(0)) { $0 * 10 + UInt64($1 - 0x30) }
        let remainder = digits.reduce(UInt64(0)) { ($0 * 10 + UInt64($1 - 0x30)) % modulus }
        return Self.product(remainder, Self.powerOfTen(shift, modulo: modulus), modulo: modulus) == 0
    }

    private static func powerOfTen(_ exponent: Int, modulo modulus: UInt64) -> UInt64 {
        var (result, base, rest) = (1 % modulus, 10 % modulus, exponent)
        while rest > 0 {
            if rest & 1 == 1 { result = product(result, base, modulo: modulus) }
            base = product(base, base, modulo: modulus)
            rest >>= 1
        }
        return result
    }

    private static func product(_ one: UInt64, _ other: UInt64, modulo modulus: UInt64) -> UInt64 {
        modulus.dividingFullWidth(one.multipliedFullWidth(by: other)).remainder
    }
}

extension ClosedRange<Double> {
    /// Whether a number of JSON lies within, exactly.
    package func contains(_ number: String) -> Bool {
        let number = DecimalNumber(number)
        return DecimalNumber(lowerBound.description) <= number
            && number <= DecimalNumber(upperBound.description)
    }
}
