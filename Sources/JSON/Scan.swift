/// Eight bytes at a time over one machine word (the first byte is the lowest).
enum Scan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// The high bit of each byte that is a quote, a backslash or a control character (or, when `nonASCII`, not
    /// ASCII). Bits above the lowest one set may be wrong; the lowest is right.
    @inline(__always)
    static func specials(_ word: UInt64, nonASCII: Bool) -> UInt64 {
        let quotes = word ^ (ones &* 0x22)
        let backslashes = word ^ (ones &* 0x5C)
        let found =
            ((quotes &- ones) & ~quotes) | ((backslashes &- ones) & ~backslashes)
            | ((word &- (ones &* 0x20)) & ~word)
        return (nonASCII ? found | word : found) & highs
    }

    @inline(__always)
    static func load(_ base: UnsafePointer<UInt8>, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(base + offset).loadUnaligned(as: UInt64.self))
    }

    /// The offset of the first byte from `start` on that is a quote, a backslash, a control character or, when
    /// `nonASCII`, not ASCII; `count` when there is none.
    @inline(__always)
    static func firstSpecial(
        _ base: UnsafePointer<UInt8>, from start: Int, to count: Int, nonASCII: Bool
    ) -> Int {
        var offset = start
        while offset &+ 8 <= count {
            let found = specials(load(base, offset), nonASCII: nonASCII)
            if found != 0 { return offset &+ found.trailingZeroBitCount >> 3 }
            offset &+= 8
        }
        while offset < count {
            let byte = base[offset]
            if byte == 0x22 || byte == 0x5C || byte < 0x20 || (nonASCII && byte >= 0x80) { return offset }
            offset &+= 1
        }
        return count
    }

    @inline(__always)
    static func isWhitespace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// The value of four hexadecimal digits; nil when one is not.
    @inline(__always)
    static func hex4(_ base: UnsafePointer<UInt8>, _ offset: Int) -> UInt32? {
        var value: UInt32 = 0
        for index in 0..<4 {
            let byte = base[offset &+ index]
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte &- 0x30
            case 0x41...0x46: digit = byte &- 0x37
            case 0x61...0x66: digit = byte &- 0x57
            default: return nil
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
