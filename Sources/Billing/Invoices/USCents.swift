import Base

/// Amounts as people read them.
package enum USCents {
    package static let nanodollars: Int64 = 10_000_000

    /// `USD 1,234.50`, `-USD 3.00`.
    package static func text(_ cents: Int64) -> String {
        let magnitude = cents.magnitude
        var digits = String(magnitude / 100)
        var place = digits.count - 3
        while place > 0 {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: place))
            place -= 3
        }
        let rest = magnitude % 100
        return "\(cents < 0 ? "-" : "")USD \(digits).\(rest < 10 ? "0" : "")\(rest)"
    }
}
