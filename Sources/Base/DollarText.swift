/// Whole fractions of a dollar as a decimal number, not rounded.
package enum DollarText {
    /// - Parameter places: how many decimal places of a dollar `amount` counts.
    package static func bytes(_ amount: Int, places: Int) -> [UInt8] {
        var digits = Array(String(amount).utf8)
        if digits.count <= places {
            digits.insert(contentsOf: [UInt8](repeating: 0x30, count: places + 1 - digits.count), at: 0)
        }
        digits.insert(0x2E, at: digits.count - places)
        while digits.last == 0x30 { digits.removeLast() }
        if digits.last == 0x2E { digits.removeLast() }
        return digits
    }
}
