import Base

/// Writes a chunked body.
package enum ChunkedEncoder {
    /// One chunk. An empty one would end the body and is left out.
    package static func append(_ data: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        if data.isEmpty { return }
        appendSize(data.count, to: &output)
        output.append(data)
        output.append("\r\n" as StaticString)
    }

    package static func append(_ data: [UInt8], to output: inout [UInt8]) {
        data.withUnsafeBytes { append($0, to: &output) }
    }

    package static func appendEnd(to output: inout [UInt8]) { output.append("0\r\n\r\n" as StaticString) }

    private static func appendSize(_ size: Int, to output: inout [UInt8]) {
        var shift = (UInt64.bitWidth - UInt64(size).leadingZeroBitCount + 3) / 4 * 4
        while shift > 0 {
            shift -= 4
            let nibble = UInt8(truncatingIfNeeded: size >> shift) & 15
            output.append(nibble < 10 ? 0x30 + nibble : 0x57 + nibble)
        }
        output.append("\r\n" as StaticString)
    }
}
