/// Exact amounts, from the decimals that people publish.
package enum Picodollars {
    /// What costs more than a thousand dollars a token is a slip of the pen.
    static let most = 1_000_000_000_000_000
    /// A number with more digits than this was made by a program that calculates in binary: its last ones are noise.
    private static let mostDigits = 15

    /// Of `text`, a decimal in dollars as JSON writes numbers, for one of what it is the price of. nil where it is none,
    /// is negative or too large, or is more exact than a pico-dollar.
    package static func read(_ text: String, perMillion: Bool = false) -> Int? {
        var digits: [UInt8] = []
        var scale = perMillion ? 6 : 12
        var rest = Array(text.utf8)[...]
        if let mark = rest.firstIndex(where: { $0 | 0x20 == 0x65 }) {
            guard let exponent = Int(String(decoding: rest[(mark + 1)...], as: UTF8.self)),
                (-99...99).contains(exponent)
            else { return nil }
            scale += exponent
            rest = rest[..<mark]
        }
        let parts = rest.split(separator: 0x2E, maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty, parts.count < 2 || !parts[1].isEmpty else {
            return nil
        }
        for digit in parts.joined() {
            guard (0x30...0x39).contains(digit) else { return nil }
            digits.append(digit - 0x30)
        }
        scale -= parts.count == 2 ? parts[1].count : 0
        return amount(Array(digits.drop { $0 == 0 }), scale)
    }

    /// `digits` × 10^`scale`.
    private static func amount(_ digits: [UInt8], _ scale: Int) -> Int? {
        if digits.isEmpty { return 0 }
        guard digits.count + scale <= 16 else { return nil }
        guard scale < 0 else {
            return bounded((digits + Array(repeating: 0, count: scale)).reduce(0) { $0 * 10 + Int($1) })
        }
        let whole = digits.dropLast(-scale).reduce(0) { $0 * 10 + Int($1) }
        let fraction = digits.suffix(-scale)
        if fraction.allSatisfy({ $0 == 0 }) { return bounded(whole) }
        let isNoise = digits.count > mostDigits && !whole.isZero
        guard isNoise else { return nil }
        return bounded(whole + (fraction.count == -scale && fraction.first ?? 0 >= 5 ? 1 : 0))
    }

    private static func bounded(_ amount: Int) -> Int? { amount <= most ? amount : nil }

    /// As people read it: dollars for a million of what costs this much, or for one, to the last decimal.
    package static func text(_ amount: Int, perMillion: Bool) -> String {
        let decimals = perMillion ? 6 : 12
        let digits = String(amount)
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        let fraction = padded.suffix(decimals).reversed().drop { $0 == "0" }.reversed()
        let whole = padded.dropLast(decimals)
        return fraction.isEmpty ? String(whole) : "\(whole).\(String(fraction))"
    }
}

extension Int {
    fileprivate var isZero: Bool { self == 0 }
}
