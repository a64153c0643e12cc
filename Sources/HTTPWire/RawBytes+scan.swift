import Glibc

extension UnsafeRawBufferPointer {
    /// The index of the first `byte` at or after `start`.
    @inline(__always)
    func firstIndex(of byte: UInt8, from start: Int) -> Int? {
        guard start < count, let base = baseAddress,
            let found = memchr(base + start, Int32(byte), count - start)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }

    /// The index of the first byte in `range` that a field value may not hold (a control other than tab).
    func firstControl(in range: Range<Int>) -> Int? {
        var index = range.lowerBound
        while index + 8 <= range.upperBound {
            let word = loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let belowSpace = (word &- 0x2020_2020_2020_2020) & ~word
            let delete = word ^ 0x7f7f_7f7f_7f7f_7f7f
            let isDelete = (delete &- 0x0101_0101_0101_0101) & ~delete
            if (belowSpace | isDelete) & 0x8080_8080_8080_8080 != 0 {
                for offset in index..<index + 8 where Self.isControl(self[offset]) { return offset }
            }
            index += 8
        }
        while index < range.upperBound {
            if Self.isControl(self[index]) { return index }
            index += 1
        }
        return nil
    }

    @inline(__always)
    private static func isControl(_ byte: UInt8) -> Bool {
        (byte < ASCII.space && byte != ASCII.tab) || byte == 0x7F
    }

    /// Whether `range` spells `word`, which is in lower case, in any case.
    @inline(__always)
    func matches(_ range: Range<Int>, _ word: StaticString) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        let start = word.utf8Start
        for offset in 0..<range.count
        where ASCII.lowercased(self[range.lowerBound &+ offset]) != start[offset] { return false }
        return true
    }

    /// `range` without the spaces and tabs at its ends.
    @inline(__always)
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, self[start] == ASCII.space || self[start] == ASCII.tab { start &+= 1 }
        while end > start, self[end &- 1] == ASCII.space || self[end &- 1] == ASCII.tab { end &-= 1 }
        return start..<end
    }

    /// Calls `body` with each element of the comma-separated list in `range`, trimmed; empty elements are
    /// left out.
    func forEachListElement(in range: Range<Int>, _ body: (Range<Int>) -> Void) {
        var start = range.lowerBound
        while start < range.upperBound {
            var end = start
            while end < range.upperBound, self[end] != ASCII.comma { end += 1 }
            let element = trimmed(start..<end)
            if !element.isEmpty { body(element) }
            start = end + 1
        }
    }
}
