import Base
package import Chat

/// Squares in colours that depend on the prompt and the seed alone, as PNG.
package enum SandboxImage {
    /// Pixels of a side; the size that a client wants is a model's to keep to.
    private static let side = 64
    private static let squares = 8

    package static func reply(to request: ImageRequest) -> ImageReply {
        let images = (0..<request.count).map { number in
            let seed = (request.seed ?? 0) &+ number
            let pixels = Digest.sha256(Array("\(seed)\u{0}\(request.prompt)".utf8))
            return ImageReply.Image(.base64(Base64.encode(png(of: pixels))))
        }
        return ImageReply(images: images, format: "png")
    }

    private static func png(of digest: [UInt8]) -> [UInt8] {
        var png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        // Eight bits for each of three colours.
        let header = bigEndian(UInt32(side)) + bigEndian(UInt32(side)) + [8, 2, 0, 0, 0]
        appendChunk("IHDR", header, to: &png)
        appendChunk("IDAT", stored(rows(of: digest)), to: &png)
        appendChunk("IEND", [], to: &png)
        return png
    }

    private static func rows(of digest: [UInt8]) -> [UInt8] {
        var rows: [UInt8] = []
        for y in 0..<side {
            rows.append(0)
            for x in 0..<side {
                // The left half is the right one's mirror.
                let column = min(x, side - 1 - x) * squares / side
                let square = y * squares / side * squares / 2 + column
                for colour in 0..<3 { rows.append(digest[(square * 3 + colour) % digest.count]) }
            }
        }
        return rows
    }

    /// A zlib stream in which nothing is compressed.
    private static func stored(_ bytes: [UInt8]) -> [UInt8] {
        precondition(bytes.count <= 0xFFFF, "one block is enough for so small an image")
        let count = UInt16(bytes.count)
        var stream: [UInt8] = [0x78, 0x01, 0x01]
        for value in [count, ~count] { stream += [UInt8(value & 0xFF), UInt8(value >> 8)] }
        stream += bytes
        var (low, high) = (UInt32(1), UInt32(0))
        for byte in bytes {
            low = (low + UInt32(byte)) % 65521
            high = (high + low) % 65521
        }
        return stream + bigEndian(high << 16 | low)
    }

    private static func appendChunk(_ type: StaticString, _ data: [UInt8], to png: inout [UInt8]) {
        let named = UnsafeBufferPointer(start: type.utf8Start, count: type.utf8CodeUnitCount) + data
        png += bigEndian(UInt32(data.count)) + named + bigEndian(checksum(Array(named)))
    }

    /// CRC-32, bit by bit: an image is 12 KB.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}
