import Base

/// The fields of an answer, as they came. Most are never asked for, so none is made a string before it is.
package struct HTTPClientFields: Sendable {
    private struct Line {
        var name: Range<Int>
        var value: Range<Int>
    }

    private var bytes: [UInt8] = []
    private var lines: [Line] = []

    /// An answer of a provider has about 20 lines in 1 KB.
    mutating func reserve() {
        bytes.reserveCapacity(1024)
        lines.reserveCapacity(20)
    }

    /// Adds a line without its end. One without a colon is no field.
    mutating func append(_ line: UnsafeRawBufferPointer) {
        guard let colon = line.firstIndex(of: 0x3A) else { return }
        let start = bytes.count
        bytes.append(line)
        let name = Self.trimmed(line, 0..<colon)
        let value = Self.trimmed(line, colon + 1..<line.count)
        lines.append(
            Line(
                name: start + name.lowerBound..<start + name.upperBound,
                value: start + value.lowerBound..<start + value.upperBound))
    }

    /// The first field of that name, in any case.
    package subscript(name: String) -> String? {
        var name = name
        let found = name.withUTF8 { name in
            bytes.withUnsafeBufferPointer { bytes in
                lines.first { line in
                    line.name.count == name.count
                        && zip(bytes[line.name], name).allSatisfy {
                            Self.lowercased($0) == Self.lowercased($1)
                        }
                }
            }
        }
        return found.map { text($0.value) }
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
    }

    /// `range` without the spaces and tabs at its ends.
    private static func trimmed(_ line: UnsafeRawBufferPointer, _ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, isBlank(line[start]) { start += 1 }
        while start < end, isBlank(line[end - 1]) { end -= 1 }
        return start..<end
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A
    }
}
