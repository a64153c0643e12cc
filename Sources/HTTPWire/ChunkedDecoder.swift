/// Takes a chunked body apart as it arrives (RFC 9112, 7.1), strictly: a size is one to sixteen hexadecimal
/// digits directly followed by CRLF. Trailers are bounded and dropped.
///
/// A request's chunk extensions are refused: no client of ours sends them, and parsers differ on them. Its trailers are
/// checked. A response's extensions are passed over, as are the spaces that some servers pad a size with.
package struct ChunkedDecoder: Equatable, Sendable {
    /// All trailer lines together, line ends included.
    package static let trailerLimit = 4 * 1024
    private static let sizeDigitLimit = 16
    private static let extensionLimit = 256

    private let isStrict: Bool
    private var state = State.sizeFirstDigit
    private var size: UInt64 = 0
    private var digits = 0
    private var extensionBytes = 0
    private var trailerLine: [UInt8] = []
    private var trailerBytes = 0

    private enum State: Equatable, Sendable {
        case sizeFirstDigit, size, sizeExtension, sizeLineFeed, data, dataReturn, dataLineFeed
        case trailer, trailerLineFeed, ended
        case failed(ChunkedFault)
    }

    /// What the next bytes are.
    package enum Event: Equatable, Sendable {
        /// Bytes of the body, at this range of the input.
        case data(Range<Int>)
        case needMore
        /// The body is whole; what follows `position` belongs to the next message.
        case end
        case fault(ChunkedFault)
    }

    package enum Message: Sendable { case request, response }

    package init(_ message: Message) { isStrict = message == .request }

    /// Reads `input` from `position` on and moves it past what was read. Call again until it answers
    /// `needMore`, `end` or `fault`.
    package mutating func decode(_ input: UnsafeRawBufferPointer, _ position: inout Int) -> Event {
        if case .failed(let fault) = state { return .fault(fault) }
        while position < input.count, state != .ended {
            if state == .data {
                let end = position + Int(min(size, UInt64(input.count - position)))
                let range = position..<end
                size -= UInt64(range.count)
                position = end
                if size == 0 { state = .dataReturn }
                return .data(range)
            }
            do throws(ChunkedFault) {
                try take(input[position])
            } catch {
                state = .failed(error)
                return .fault(error)
            }
            position += 1
        }
        return state == .ended ? .end : .needMore
    }

    private mutating func take(_ byte: UInt8) throws(ChunkedFault) {
        switch state {
        case .sizeFirstDigit, .size: try takeSize(byte)
        case .sizeExtension: try passExtension(byte)
        case .sizeLineFeed:
            guard byte == ASCII.lineFeed else { throw .invalidSize }
            state = size == 0 ? .trailer : .data
        case .dataReturn:
            guard byte == ASCII.carriageReturn else { throw .missingLineEnd }
            state = .dataLineFeed
        case .dataLineFeed:
            guard byte == ASCII.lineFeed else { throw .missingLineEnd }
            (digits, extensionBytes) = (0, 0)
            state = .sizeFirstDigit
        case .trailer, .trailerLineFeed: try takeTrailer(byte)
        case .data, .ended, .failed: break
        }
    }

    private mutating func takeSize(_ byte: UInt8) throws(ChunkedFault) {
        if byte == ASCII.carriageReturn, state == .size {
            guard size <= UInt64(Int.max) else { throw .invalidSize }
            state = .sizeLineFeed
            return
        }
        if state == .size, byte == ASCII.semicolon || !isStrict && (byte == ASCII.space || byte == ASCII.tab)
        {
            if isStrict { throw .extensionRefused }
            state = .sizeExtension
            return
        }
        guard let value = ASCII.hexValue(byte), digits < Self.sizeDigitLimit else { throw .invalidSize }
        size = state == .sizeFirstDigit ? UInt64(value) : size << 4 | UInt64(value)
        digits += 1
        state = .size
    }

    private mutating func passExtension(_ byte: UInt8) throws(ChunkedFault) {
        extensionBytes += 1
        if byte == ASCII.carriageReturn {
            guard size <= UInt64(Int.max) else { throw .invalidSize }
            state = .sizeLineFeed
        } else if byte == ASCII.lineFeed || extensionBytes > Self.extensionLimit {
            throw .invalidSize
        }
    }

    private mutating func takeTrailer(_ byte: UInt8) throws(ChunkedFault) {
        trailerBytes += 1
        if trailerBytes > Self.trailerLimit { throw .trailersTooLarge }
        if state == .trailerLineFeed {
            guard byte == ASCII.lineFeed else { throw .invalidTrailer }
            if trailerLine.isEmpty {
                state = .ended
            } else {
                if isStrict { try checkTrailer() }
                trailerLine.removeAll(keepingCapacity: true)
                state = .trailer
            }
        } else if byte == ASCII.carriageReturn {
            state = .trailerLineFeed
        } else {
            guard byte != ASCII.lineFeed else { throw .invalidTrailer }
            trailerLine.append(byte)
        }
    }

    /// A trailer must not change how the message was understood (RFC 9110, 6.5.1).
    private func checkTrailer() throws(ChunkedFault) {
        let isAllowed = trailerLine.withUnsafeBytes { bytes in
            guard let field = try? FieldLine(bytes, 0..<bytes.count) else { return false }
            return !Self.forbidden.contains { bytes.matches(field.name, $0) }
        }
        if !isAllowed { throw .invalidTrailer }
    }

    private static let forbidden: [StaticString] = [
        "transfer-encoding", "content-length", "host", "connection", "te", "trailer", "upgrade", "expect",
        "authorization", "proxy-authorization", "cookie", "set-cookie", "content-encoding", "content-type",
        "content-range", "cache-control", "max-forwards", "range", "x-forwarded-for", "forwarded",
        "x-api-key",
    ]
}

package enum ChunkedFault: Error, Equatable, Sendable {
    case invalidSize, extensionRefused, missingLineEnd, invalidTrailer, trailersTooLarge

    package var reason: StaticString {
        switch self {
        case .invalidSize: "A chunk's size is not valid."
        case .extensionRefused: "Chunk extensions are not taken."
        case .missingLineEnd: "A chunk does not end where its size says."
        case .invalidTrailer: "A trailer field is not valid or not allowed."
        case .trailersTooLarge: "The trailer fields are too large."
        }
    }
}
