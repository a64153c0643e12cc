import Base
import Chat
import Glibc

/// Reads what an `EntryWriter` wrote. Whatever the bytes are: it reads nothing beyond them, and takes no memory for
/// more than there are.
struct EntryReader {
    /// The bytes are not what a writer wrote.
    struct Damage: Error {}

    private let bytes: UnsafeBufferPointer<UInt8>
    private var offset = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func byte() throws(Damage) -> UInt8 {
        guard offset < bytes.count else { throw Damage() }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func flag() throws(Damage) -> Bool {
        switch try byte() {
        case 0: false
        case 1: true
        default: throw Damage()
        }
    }

    mutating func number() throws(Damage) -> UInt64 {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            let byte = try byte()
            // The tenth byte has room for one bit.
            if shift == 63, byte > 1 { throw Damage() }
            number |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return number }
        }
        throw Damage()
    }

    mutating func integer() throws(Damage) -> Int {
        let number = try number()
        return Int(bitPattern: UInt(number >> 1)) ^ -Int(number & 1)
    }

    mutating func take() throws(Damage) -> UnsafeBufferPointer<UInt8> {
        let count = try number()
        guard count <= bytes.count - offset else { throw Damage() }
        defer { offset += Int(count) }
        return UnsafeBufferPointer(rebasing: bytes[offset..<offset + Int(count)])
    }

    mutating func takeRest() -> UnsafeBufferPointer<UInt8> {
        defer { offset = bytes.count }
        return UnsafeBufferPointer(rebasing: bytes[offset...])
    }

    /// What is no UTF-8 is replaced as it is decoded, and then it is not what was there: `String(validating:)` finds out
    /// in three times the time.
    mutating func text() throws(Damage) -> String {
        let written = try take()
        guard let start = written.baseAddress, written.count > 0 else { return "" }
        var text = String(decoding: written, as: UTF8.self)
        let isSame = text.withUTF8 { text in
            guard text.count == written.count, let base = text.baseAddress else { return false }
            return memcmp(base, start, written.count) == 0
        }
        guard isSame else { throw Damage() }
        return text
    }

    mutating func optionalText() throws(Damage) -> String? { try flag() ? try text() : nil }

    mutating func word<Word: RawRepresentable<String>>() throws(Damage) -> Word {
        guard let word = Word(rawValue: try text()) else { throw Damage() }
        return word
    }

    mutating func usage() throws(Damage) -> ChatUsage {
        var usage = ChatUsage()
        usage.input = try integer()
        usage.cacheRead = try integer()
        usage.cacheWrite = try integer()
        usage.cacheWriteHour = try integer()
        usage.audioInput = try integer()
        usage.imageInput = try integer()
        usage.output = try integer()
        usage.reasoning = try integer()
        usage.audioOutput = try integer()
        usage.imageOutput = try integer()
        usage.isEstimated = try flag()
        return usage
    }
}
