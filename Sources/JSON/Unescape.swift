import Glibc

/// Reads the inside of strings that are known to be valid.
enum Unescape {
    /// Appends what the string `text` (without quotes) means.
    static func append(_ text: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
        guard let base = text.baseAddress else { return }
        var offset = 0
        while offset < text.count {
            let run = firstBackslash(base, from: offset, to: text.count)
            if run > offset {
                output.append(contentsOf: UnsafeBufferPointer(start: base + offset, count: run - offset))
            }
            guard run < text.count else { return }
            let (scalar, next) = escape(base, at: run)
            append(scalar, to: &output)
            offset = next
        }
    }

    static func firstBackslash(_ base: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int {
        guard start < end, let found = memchr(base + start, 0x5C, end - start) else { return end }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    /// What the escape at `start` stands for and the offset after it.
    static func escape(_ base: UnsafePointer<UInt8>, at start: Int) -> (scalar: UInt32, next: Int) {
        switch base[start &+ 1] {
        case 0x62: return (0x08, start &+ 2)
        case 0x66: return (0x0C, start &+ 2)
        case 0x6E: return (0x0A, start &+ 2)
        case 0x72: return (0x0D, start &+ 2)
        case 0x74: return (0x09, start &+ 2)
        case 0x75:
            let unit = Scan.hex4(base, start &+ 2) ?? 0xFFFD
            guard unit & 0xFC00 == 0xD800 else { return (unit, start &+ 6) }
            let low = Scan.hex4(base, start &+ 8) ?? 0xDC00
            return (0x10000 &+ (unit & 0x3FF) << 10 &+ (low & 0x3FF), start &+ 12)
        case let same: return (UInt32(same), start &+ 2)
        }
    }

    static func append(_ scalar: UInt32, to output: inout [UInt8]) {
        func tail(_ shift: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: 0x80 | (scalar >> shift) & 0x3F) }
        switch scalar {
        case 0..<0x80: output.append(UInt8(truncatingIfNeeded: scalar))
        case 0x80..<0x800:
            output.append(UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6))
            output.append(tail(0))
        case 0x800..<0x10000:
            output.append(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
            output.append(tail(6))
            output.append(tail(0))
        default:
            output.append(UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18))
            output.append(tail(12))
            output.append(tail(6))
            output.append(tail(0))
        }
    }
}
