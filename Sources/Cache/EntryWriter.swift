import Base
import Chat

/// Writes the bytes of a stored answer. Numbers take as few bytes as they need; texts have their length in front.
struct EntryWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(byte: UInt8) { bytes.append(byte) }

    mutating func write(_ flag: Bool) { bytes.append(flag ? 1 : 0) }

    /// Seven bits a byte, the lowest first; the eighth says that there are more.
    mutating func write(number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func write(count: Int) { write(number: UInt64(count)) }

    /// Small ones stay short, also below zero.
    mutating func write(_ integer: Int) {
        write(number: UInt64(bitPattern: Int64((integer << 1) ^ (integer >> (Int.bitWidth - 1)))))
    }

    mutating func write(_ text: String) {
        write(count: text.utf8.count)
        bytes.append(text)
    }

    mutating func write(_ text: String?) {
        write(text != nil)
        if let text { write(text) }
    }

    /// By its name, which stays what it is when others come to it.
    mutating func write(word: some RawRepresentable<String>) { write(word.rawValue) }

    mutating func write(raw: [UInt8]) { bytes.append(contentsOf: raw) }
    mutating func write(raw: ArraySlice<UInt8>) { bytes.append(raw) }

    mutating func write(_ usage: ChatUsage) {
        write(usage.input)
        write(usage.cacheRead)
        write(usage.cacheWrite)
        write(usage.cacheWriteHour)
        write(usage.audioInput)
        write(usage.imageInput)
        write(usage.output)
        write(usage.reasoning)
        write(usage.audioOutput)
        write(usage.imageOutput)
        write(usage.isEstimated)
    }
}
