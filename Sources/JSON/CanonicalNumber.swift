/// Numbers by value.
///
/// The canonical form of a number is its significant digits `D`, a whole number without leading or trailing zeros,
/// and its decimal exponent `E`. Zero is `0`, whatever its sign. A number with `E` = 0 is written `D`; one with
/// `E` > 0 and at most `maximumPlainDigits` digits in all as a plain integer; any other as `DeE` (0.25 is `25e-2`).
/// Nothing is ever rounded, and no exponent makes the text longer than the source by more than that bound.
enum CanonicalNumber {
    static let maximumPlainDigits = 20

    /// Appends the canonical form of a valid number.
    static func append(_ written: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
        if isCanonicalInteger(written) { return output.append(contentsOf: written) }
        let start = output.count
        var offset = 0
        if written[0] == 0x2D {
            output.append(0x2D)
            offset = 1
        }
        let firstDigit = output.count
        var exponent = 0
        var isFraction = false
        while offset < written.count {
            let byte = written[offset]
            offset += 1
            if byte == 0x2E {
                isFraction = true
            } else if byte | 0x20 == 0x65 {
                exponent += self.exponent(written, from: offset)
                break
            } else {
                if isFraction { exponent -= 1 }
                if byte != 0x30 || output.count > firstDigit { output.append(byte) }
            }
        }
        while output.count > firstDigit, output[output.count - 1] == 0x30 {
            output.removeLast()
            exponent += 1
        }
        let digits = output.count - firstDigit
        if digits == 0 {
            output.removeSubrange(start...)
            output.append(0x30)
        } else if exponent > 0, digits + exponent <= maximumPlainDigits {
            for _ in 0..<exponent { output.append(0x30) }
        } else if exponent != 0 {
            output.append(0x65)
            output.append(contentsOf: String(exponent).utf8)
        }
    }

    /// An integer in plain digits that fits.
    static func plainInteger(_ written: UnsafeBufferPointer<UInt8>) -> Int? {
        let isNegative = written[0] == 0x2D
        guard written.count <= maximumPlainDigits else { return nil }
        var value = 0
        for index in (isNegative ? 1 : 0)..<written.count {
            guard Scan.isDigit(written[index]) else { return nil }
            let digit = Int(written[index] &- 0x30)
            let (scaled, scaledOver) = value.multipliedReportingOverflow(by: 10)
            let (sum, sumOver) =
                isNegative
                ? scaled.subtractingReportingOverflow(digit) : scaled.addingReportingOverflow(digit)
            if scaledOver || sumOver { return nil }
            value = sum
        }
        return value
    }

    /// The common case, to be copied as it is.
    private static func isCanonicalInteger(_ written: UnsafeBufferPointer<UInt8>) -> Bool {
        let digits = written[0] == 0x2D ? 1 : 0
        guard written.count - digits <= maximumPlainDigits else { return false }
        for index in digits..<written.count where !Scan.isDigit(written[index]) { return false }
        return digits == 0 || written[1] != 0x30
    }

    /// The signed digits to the end; the validator has bounded how many count.
    private static func exponent(_ written: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var magnitude = 0
        for index in start..<written.count where Scan.isDigit(written[index]) {
            magnitude = magnitude * 10 + Int(written[index] &- 0x30)
        }
        return written[start] == 0x2D ? -magnitude : magnitude
    }
}
