import Glibc

/// A 128-bit identifier in RFC 9562's form.
package struct UUID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 16 bytes, most significant first.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for byte in bytes {
            words.0 = words.0 << 8 | words.1 >> 56
            words.1 = words.1 << 8 | UInt64(byte)
        }
        self.init(high: words.0, low: words.1)
    }

    /// The usual text with hyphens, in either case.
    package init?(_ text: some StringProtocol) {
        var words: (UInt64, UInt64) = (0, 0)
        var position = 0
        for character in text.utf8 {
            defer { position += 1 }
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard character == 0x2D else { return nil }
                continue
            }
            guard let nibble = Self.nibble(character) else { return nil }
            words.0 = words.0 << 4 | words.1 >> 60
            words.1 = words.1 << 4 | UInt64(nibble)
        }
        guard position == 36 else { return nil }
        self.init(high: words.0, low: words.1)
    }

    /// A new identifier of version 7: ordered by time, so that an index grows at one end.
    package static func make(at time: Timestamp = .now()) -> UUID { make(at: time, Random.words()) }

    package static func make(at time: Timestamp, _ random: (UInt64, UInt64)) -> UUID {
        let milliseconds = UInt64(max(0, time.microseconds / 1000)) & 0xFFFF_FFFF_FFFF
        return UUID(
            high: milliseconds << 16 | 0x7000 | random.0 & 0x0FFF,
            low: 0x8000_0000_0000_0000 | random.1 & 0x3FFF_FFFF_FFFF_FFFF)
    }

    package var bytes: [UInt8] { bytes(behind: "") }

    /// `bytes` with something in front.
    package func bytes(behind prefix: StaticString) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(atMost: prefix.utf8CodeUnitCount + 16) { writer in
            writer.write(prefix)
            withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { writer.write($0) }
        }
        return bytes
    }

    package var description: String {
        var text = ""
        withText { text = String(decoding: $0, as: UTF8.self) }
        return text
    }

    /// The same as `description`.
    package func append(to text: inout [UInt8]) { withText { text.append(UnsafeRawBufferPointer($0)) } }

    /// `description` without memory of its own. Not generic: the stranger's type would have to be found out each time.
    package func withText(_ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: 36, alignment: 1) { text in
            func store(_ digits: UInt64, at place: Int) {
                text.storeBytes(of: digits.littleEndian, toByteOffset: place, as: UInt64.self)
            }
            let middle = (Self.digits(UInt32(truncatingIfNeeded: high)), Self.digits(UInt32(low >> 32)))
            // Each writes eight bytes; what is too much is overwritten by what comes next.
            store(Self.digits(UInt32(high >> 32)), at: 0)
            store(middle.0, at: 9)
            store(middle.0 >> 32, at: 14)
            store(middle.1, at: 19)
            store(middle.1 >> 32, at: 24)
            store(Self.digits(UInt32(truncatingIfNeeded: low)), at: 28)
            (text[8], text[13], text[18], text[23]) = (0x2D, 0x2D, 0x2D, 0x2D)
            body(UnsafeBufferPointer(text.assumingMemoryBound(to: UInt8.self)))
        }
    }

    /// Eight hexadecimal digits, the first in the lowest byte.
    private static func digits(_ word: UInt32) -> UInt64 {
        var digits = UInt64(word.byteSwapped)
        digits = (digits | digits << 16) & 0x0000_FFFF_0000_FFFF
        digits = (digits | digits << 8) & 0x00FF_00FF_00FF_00FF
        digits = digits >> 4 & 0x000F_000F_000F_000F | digits << 8 & 0x0F00_0F00_0F00_0F00
        let letters = (digits &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return digits &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
    }

    package static func < (left: UUID, right: UUID) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }

    private static func nibble(_ character: UInt8) -> UInt8? {
        switch character {
        case 0x30...0x39: character - 0x30
        case 0x41...0x46: character - 0x37
        case 0x61...0x66: character - 0x57
        default: nil
        }
    }
}
