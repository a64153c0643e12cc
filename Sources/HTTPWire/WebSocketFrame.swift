import Base

/// The kinds of frame (RFC 6455, 5.2).
package enum WebSocketOpcode: UInt8, Sendable {
    case continuation = 0
    case text = 1
    case binary = 2
    case close = 8
    case ping = 9
    case pong = 10

    var isControl: Bool { rawValue >= 8 }
}

/// Writes frames.
package enum WebSocketFrame {
    /// The most a control frame carries.
    package static let controlLimit = 125

    /// One frame; a server's are never masked, a client's always.
    package static func append(
        _ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer, isFinal: Bool = true,
        mask: UInt32? = nil,
        to output: inout [UInt8]
    ) {
        output.append((isFinal ? 0x80 : 0) | opcode.rawValue)
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        switch payload.count {
        case ...125:
            output.append(maskBit | UInt8(payload.count))
        case ...0xFFFF:
            output.append(maskBit | 126)
            appendBigEndian(UInt64(payload.count), bytes: 2, to: &output)
        default:
            output.append(maskBit | 127)
            appendBigEndian(UInt64(payload.count), bytes: 8, to: &output)
        }
        guard let mask else {
            output.append(payload)
            return
        }
        appendBigEndian(UInt64(mask), bytes: 4, to: &output)
        let start = output.count
        output.append(payload)
        output.withUnsafeMutableBytes { bytes in
            unmask(UnsafeMutableRawBufferPointer(rebasing: bytes[start...]), mask, from: 0)
        }
    }

    package static func append(
        _ opcode: WebSocketOpcode, _ payload: [UInt8], isFinal: Bool = true, mask: UInt32? = nil,
        to output: inout [UInt8]
    ) {
        payload.withUnsafeBytes { append(opcode, $0, isFinal: isFinal, mask: mask, to: &output) }
    }

    /// A close frame. `absent` gives one without a code; a reason is cut at a character to fit.
    package static func append(
        close code: WebSocketCloseCode, reason: String = "", mask: UInt32? = nil, to output: inout [UInt8]
    ) {
        var payload: [UInt8] = []
        if code.maySend {
            appendBigEndian(UInt64(code.rawValue), bytes: 2, to: &payload)
            for scalar in reason.unicodeScalars {
                let encoded = UTF8.encode(scalar)
                guard let encoded, payload.count + encoded.count <= controlLimit else { break }
                payload.append(contentsOf: encoded)
            }
        }
        append(.close, payload, mask: mask, to: &output)
    }

    /// Takes the mask off (or puts it on) bytes that begin `offset` bytes into the payload.
    static func unmask(_ bytes: UnsafeMutableRawBufferPointer, _ mask: UInt32, from offset: Int) {
        let key = (
            UInt8(truncatingIfNeeded: mask >> 24), UInt8(truncatingIfNeeded: mask >> 16),
            UInt8(truncatingIfNeeded: mask >> 8), UInt8(truncatingIfNeeded: mask)
        )
        var turned: UInt64 = 0
        for step in 0..<8 {
            let byte =
                switch (offset + step) & 3 {
                case 0: key.0
                case 1: key.1
                case 2: key.2
                default: key.3
                }
            turned |= UInt64(byte) << UInt64(step * 8)
        }
        var index = 0
        while index + 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            bytes.storeBytes(of: (word ^ turned).littleEndian, toByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < bytes.count {
            bytes[index] ^= UInt8(truncatingIfNeeded: turned >> UInt64((index & 7) * 8))
            index += 1
        }
    }

    private static func appendBigEndian(_ value: UInt64, bytes: Int, to output: inout [UInt8]) {
        for index in 0..<bytes {
            output.append(UInt8(truncatingIfNeeded: value >> UInt64((bytes - 1 - index) * 8)))
        }
    }
}
