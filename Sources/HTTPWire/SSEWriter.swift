import Base

/// Writes server-sent events. Each call appends a whole line or event, so that what is flushed is never half
/// of one.
package enum SSEWriter {
    /// An event: `event:` when named, `id:` when given, one `data:` line for each line of `data`.
    ///
    /// A line end within `name` or `identifier` would forge another field and is left out.
    package static func append(
        event name: String? = nil, identifier: String? = nil, data: UnsafeRawBufferPointer,
        to output: inout [UInt8]
    ) {
        if let name { appendLine("event: ", name, to: &output) }
        if let identifier { appendLine("id: ", identifier, to: &output) }
        var start = 0
        while true {
            let end = data.firstLineEnd(from: start) ?? data.count
            output.append("data: " as StaticString)
            output.append(UnsafeRawBufferPointer(rebasing: data[start..<end]))
            output.append(ASCII.lineFeed)
            guard end < data.count else { break }
            let isPair =
                data[end] == ASCII.carriageReturn && end + 1 < data.count
                && data[end + 1] == ASCII.lineFeed
            start = end + (isPair ? 2 : 1)
        }
        output.append(ASCII.lineFeed)
    }

    package static func append(
        event name: String? = nil, identifier: String? = nil, data: [UInt8], to output: inout [UInt8]
    ) {
        data.withUnsafeBytes { append(event: name, identifier: identifier, data: $0, to: &output) }
    }

    /// A comment with its empty line: the keep-alive every client understands.
    package static func append(comment: String, to output: inout [UInt8]) {
        appendLine(": ", comment, to: &output)
        output.append(ASCII.lineFeed)
    }

    /// How long a client waits before it comes back.
    package static func append(retryMilliseconds: Int, to output: inout [UInt8]) {
        output.append("retry: " as StaticString)
        output.append(decimal: max(0, retryMilliseconds))
        output.append("\n\n" as StaticString)
    }

    private static func appendLine(_ field: StaticString, _ value: String, to output: inout [UInt8]) {
        output.append(field)
        for byte in value.utf8 where byte != ASCII.lineFeed && byte != ASCII.carriageReturn && byte != 0 {
            output.append(byte)
        }
        output.append(ASCII.lineFeed)
    }
}

extension UnsafeRawBufferPointer {
    /// The index of the first carriage return or line feed at or after `start`.
    func firstLineEnd(from start: Int) -> Int? {
        var index = start
        while index + 8 <= count {
            let word = loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let feed = word ^ 0x0a0a_0a0a_0a0a_0a0a
            let carriage = word ^ 0x0d0d_0d0d_0d0d_0d0d
            let isFeed = (feed &- 0x0101_0101_0101_0101) & ~feed
            let isCarriage = (carriage &- 0x0101_0101_0101_0101) & ~carriage
            let hits = (isFeed | isCarriage) & 0x8080_8080_8080_8080
            // The lowest hit is exact; borrows make false ones only above a true one. Words are little-endian
            // here.
            if hits != 0 { return index + UInt64(littleEndian: hits).trailingZeroBitCount / 8 }
            index += 8
        }
        while index < count {
            if self[index] == ASCII.lineFeed || self[index] == ASCII.carriageReturn { return index }
            index += 1
        }
        return nil
    }
}
