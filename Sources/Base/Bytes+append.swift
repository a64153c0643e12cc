/// `[UInt8]` is the buffer of the house. These write into one without a detour over `String`.
extension [UInt8] {
    package mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        append(count: bytes.count) { $0.copyMemory(from: bytes) }
    }

    package mutating func append(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { append($0) }
    }

    /// Makes room for `count` bytes and has `write` fill all of it: pieces that are appended one by one cost more than
    /// what is in them.
    @inlinable
    @inline(__always)
    public mutating func append(count: Int, _ write: (UnsafeMutableRawBufferPointer) -> Void) {
        append(addingCapacity: count) { room in
            room.withUnsafeMutableBufferPointer { bytes, written in
                write(UnsafeMutableRawBufferPointer(start: bytes.baseAddress, count: count))
                written = count
            }
        }
    }

    /// `value` in decimal, padded on the left with zeros to `width`.
    package mutating func append(decimal value: Int, width: Int = 1) {
        if value < 0 { append(0x2D) }
        append(decimal: value.magnitude, width: width)
    }

    package mutating func append(decimal value: UInt, width: Int = 1) {
        let most = DecimalDigits.most
        withUnsafeTemporaryAllocation(byteCount: most, alignment: 1) { digits in
            var start = DecimalDigits.write(value, before: most, in: digits)
            while most - start < Swift.min(width, most) {
                start -= 1
                digits[start] = 0x30
            }
            append(UnsafeRawBufferPointer(rebasing: digits[start...]))
        }
    }

    /// The bytes in lower-case hexadecimal.
    package mutating func append(hex bytes: some Sequence<UInt8>) {
        for byte in bytes { append(hex: byte) }
    }

    /// The same, for those who are asked often: a sequence of another target comes a byte at a time.
    package mutating func append(hex bytes: [UInt8]) {
        append(count: 2 * bytes.count) { text in
            for place in bytes.indices { Self.write(hex: bytes[place], to: text, at: 2 &* place) }
        }
    }

    package mutating func append(hex byte: UInt8) {
        append(Self.hexDigit(byte >> 4))
        append(Self.hexDigit(byte & 15))
    }

    @inline(__always)
    static func write(hex byte: UInt8, to text: UnsafeMutableRawBufferPointer, at place: Int) {
        text[place] = hexDigit(byte >> 4)
        text[place &+ 1] = hexDigit(byte & 15)
    }

    private static func hexDigit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }
}

extension String {
    /// The bytes in lower-case hexadecimal.
    package init(hex bytes: some Sequence<UInt8>) {
        var text: [UInt8] = []
        text.append(hex: bytes)
        self.init(decoding: text, as: UTF8.self)
    }
}
