/// Writes pieces one behind the other where there is room for them: to append each by itself costs more than what is in it.
///
///     output.append(atMost: name.count + 2 + DecimalDigits.most) {
///         $0.write(name)
///         $0.write(": ")
///         $0.write(decimal: value)
///     }
///
/// Public, because only what is public is inlined in other targets.
@frozen
public struct ByteWriter {
    @usableFromInline let room: UnsafeMutableRawBufferPointer
    @usableFromInline var count = 0

    @inlinable init(_ room: UnsafeMutableRawBufferPointer) { self.room = room }

    @inlinable
    @inline(__always)
    public mutating func write(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= room.count &- count, "more is written than there was room made for")
        UnsafeMutableRawBufferPointer(rebasing: room[count...]).copyMemory(from: bytes)
        count &+= bytes.count
    }

    @inlinable
    @inline(__always)
    public mutating func write(_ text: StaticString) {
        write(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inlinable
    @inline(__always)
    public mutating func write(_ byte: UInt8) {
        precondition(count < room.count, "more is written than there was room made for")
        room[count] = byte
        count &+= 1
    }

    @inlinable
    @inline(__always)
    public mutating func write(decimal value: UInt) {
        let end = count &+ DecimalDigits.count(of: value)
        precondition(end <= room.count, "more is written than there was room made for")
        _ = DecimalDigits.write(value, before: end, in: room)
        count = end
    }
}

extension [UInt8] {
    /// Makes room for `most` bytes, of which `write` fills as many as it likes from the start.
    @inlinable
    @inline(__always)
    public mutating func append(atMost most: Int, _ write: (inout ByteWriter) -> Void) {
        append(addingCapacity: most) { room in
            room.withUnsafeMutableBufferPointer { bytes, written in
                var writer = ByteWriter(UnsafeMutableRawBufferPointer(start: bytes.baseAddress, count: most))
                write(&writer)
                written = writer.count
            }
        }
    }
}
