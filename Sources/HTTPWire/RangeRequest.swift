/// What a `Range` field asks of a representation (RFC 9110, 14.2). Only a single range is served.
package enum RangeRequest: Equatable, Sendable {
    /// No range, another unit, several ranges or nonsense: the whole representation, as the RFC allows.
    case whole
    /// These bytes: 206.
    case part(Range<Int>)
    /// A range that begins beyond the end: 416.
    case unsatisfiable

    package init(_ value: ArraySlice<UInt8>?, length: Int) {
        self = .whole
        guard let value, value.starts(with: Array("bytes=".utf8)) else { return }
        let range = value.dropFirst(6)
        guard let dash = range.firstIndex(of: ASCII.dash) else { return }
        let first = range[..<dash]
        let last = range[(dash + 1)...]
        if first.isEmpty {
            guard let count = Self.number(last) else { return }
            self = count == 0 || length == 0 ? .unsatisfiable : .part(max(0, length - count)..<length)
            return
        }
        guard let start = Self.number(first) else { return }
        let end = last.isEmpty ? Int.max - 1 : Self.number(last)
        guard let end, end >= start else { return }
        self = start < length ? .part(start..<min(length, end + 1)) : .unsatisfiable
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...18).contains(digits.count), digits.allSatisfy(ASCII.isDigit) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - ASCII.zero) }
    }
}
