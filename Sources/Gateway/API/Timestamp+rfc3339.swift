package import Base

extension Timestamp {
    /// A time of which `TextRule.timestamp` holds; `nil` for others.
    package init?(rfc3339 text: String) {
        guard TextRule.timestamp.takes(text) else { return nil }
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64 { bytes[range].reduce(0) { $0 * 10 + Int64($1) - 0x30 } }

        var microseconds = number(17..<19) * 1_000_000
        var position = 19
        if bytes[position] == 0x2E {
            position += 1
            var unit: Int64 = 100_000
            while bytes[position] &- 0x30 < 10 {
                microseconds += (Int64(bytes[position]) - 0x30) * unit
                unit /= 10
                position += 1
            }
        }
        var minutes = number(11..<13) * 60 + number(14..<16)
        if bytes[position] != 0x5A {
            let offset = number(position + 1..<position + 3) * 60 + number(position + 4..<position + 6)
            minutes -= bytes[position] == 0x2D ? -offset : offset
        }
        let day = Self.days(number(0..<4), number(5..<7), number(8..<10))
        self.init(microseconds: (day * 1440 + minutes) * 60_000_000 + microseconds)
    }

    /// Days from 1970-01-01. Counted from the first of March, so that the leap day ends a year.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let shiftedMonth = month <= 2 ? month + 9 : month - 3
        let dayOfYear = (153 * shiftedMonth + 2) / 5 + day - 1
        return shiftedYear * 365 + shiftedYear / 4 - shiftedYear / 100 + shiftedYear / 400 + dayOfYear
            - 719_468
    }
}
