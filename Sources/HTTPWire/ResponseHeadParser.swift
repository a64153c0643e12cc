/// The head of another server's answer.
package struct ResponseHead: Equatable, Sendable {
    /// Never one of an interim answer.
    package let status: Int
    package let fields: HTTPFields
    /// Where the body ends, unless the request was a HEAD.
    package let framing: ResponseFraming
    /// Whether the connection may be used again.
    package let keepsAlive: Bool
}

/// Why the head of an answer cannot be read. After one, nobody can know where the answer ends.
package enum ResponseFault: Error, Equatable, Sendable {
    case malformedStatusLine, unaskedUpgrade, tooLarge, invalidContentLength, unsupportedTransferEncoding
    case malformedField(RequestFault)

    package var reason: StaticString {
        switch self {
        case .malformedStatusLine: "The status line is not of the form HTTP/1.1 200 OK."
        case .unaskedUpgrade: "Another protocol is switched to that was not asked for."
        case .tooLarge: "The head is too large."
        case .invalidContentLength: "The Content-Length header field is not valid."
        case .unsupportedTransferEncoding: "The only transfer coding taken is chunked."
        case .malformedField(let fault): fault.reason
        }
    }
}

/// Parses the head of an answer as its bytes arrive. Interim answers before it are passed over.
///
/// Kinder than the parser of requests where nothing can come of it, since nobody stands between us and a server: a line
/// may end without its carriage return. What decides where the answer ends is read as strictly.
package struct ResponseHeadParser: Sendable {
    /// With the interim answers before it.
    package static let limit = 64 * 1024
    /// Fields of an ordinary answer: one allocation holds them.
    private static let usualFieldCount = 20

    package enum Progress: Equatable, Sendable {
        case needMore
        /// The head and how many bytes it and all before it took.
        case head(ResponseHead, consumed: Int)
        case fault(ResponseFault)
    }

    /// Where the line begins that is being looked for.
    private var lineStart = 0
    /// Up to where no line feed was found.
    private var scanned = 0
    private var headStart = 0

    private var status = 0
    private var isVersion10 = false
    private var contentLength: Int?
    private var isChunked = false
    private var closes = false
    private var keepsAlive = false
    private var lines: [HTTPFields.Line] = []

    package init() {}

    /// Is given all bytes since the first, each time more of them.
    package mutating func parse(_ bytes: UnsafeRawBufferPointer) -> Progress {
        do throws(ResponseFault) {
            while let end = bytes.firstIndex(of: ASCII.lineFeed, from: scanned) {
                if end >= Self.limit { throw .tooLarge }
                let hasReturn = end > lineStart && bytes[end - 1] == ASCII.carriageReturn
                let line = lineStart..<(hasReturn ? end - 1 : end)
                lineStart = end + 1
                scanned = lineStart
                if status == 0 {
                    try takeStatusLine(bytes, line)
                } else if !line.isEmpty {
                    try takeField(bytes, line)
                } else if status >= 200 {
                    return .head(head(bytes), consumed: lineStart)
                } else {
                    try passInterim()
                }
            }
            if bytes.count >= Self.limit { throw .tooLarge }
            if status == 0 { try checkStart(bytes) }
            scanned = bytes.count
            return .needMore
        } catch {
            return .fault(error)
        }
    }

    // MARK: The status line

    private static let start: StaticString = "http/"

    /// Whatever does not even begin like an answer is not waited for.
    private func checkStart(_ bytes: UnsafeRawBufferPointer) throws(ResponseFault) {
        let end = min(lineStart + Self.start.utf8CodeUnitCount, bytes.count)
        for place in lineStart..<end
        where ASCII.lowercased(bytes[place]) != Self.start.utf8Start[place - lineStart] {
            throw .malformedStatusLine
        }
    }

    /// `HTTP/1.1 200 OK`; libcurl says `HTTP/2 200`.
    private mutating func takeStatusLine(
        _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>
    ) throws(ResponseFault) {
        let versionStart = line.lowerBound + Self.start.utf8CodeUnitCount
        guard versionStart < line.upperBound,
            bytes.matches(line.lowerBound..<versionStart, Self.start),
            let space = bytes.firstIndex(of: ASCII.space, from: versionStart), space + 4 <= line.upperBound
        else { throw .malformedStatusLine }
        switch space - versionStart {
        case 1 where bytes[versionStart] == ASCII.zero + 2 || bytes[versionStart] == ASCII.zero + 3: break
        case 3 where bytes[versionStart] == ASCII.zero + 1 && bytes[versionStart + 1] == ASCII.dot:
            isVersion10 = bytes[versionStart + 2] == ASCII.zero
        default: throw .malformedStatusLine
        }
        var code = 0
        for place in space + 1..<space + 4 {
            guard ASCII.isDigit(bytes[place]) else { throw .malformedStatusLine }
            code = code * 10 + Int(bytes[place] - ASCII.zero)
        }
        guard code >= 100, space + 4 == line.upperBound || bytes[space + 4] == ASCII.space else {
            throw .malformedStatusLine
        }
        status = code
        lines.reserveCapacity(Self.usualFieldCount)
    }

    // MARK: Fields

    private mutating func takeField(
        _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>
    ) throws(ResponseFault) {
        let field: FieldLine
        do throws(RequestFault) {
            field = try FieldLine(bytes, line)
        } catch {
            throw .malformedField(error)
        }
        switch field.name.count {
        case 10 where bytes.matches(field.name, "connection"):
            takeConnection(bytes, field.value)
        case 14 where bytes.matches(field.name, "content-length"):
            try takeLength(bytes, field.value)
        case 17 where bytes.matches(field.name, "transfer-encoding"):
            guard !isChunked, bytes.matches(field.value, "chunked") else {
                throw .unsupportedTransferEncoding
            }
            isChunked = true
        default: break
        }
        lines.append(HTTPFields.Line(field, from: headStart))
    }

    /// Said twice, it has to be the same.
    private mutating func takeLength(
        _ bytes: UnsafeRawBufferPointer, _ value: Range<Int>
    ) throws(ResponseFault) {
        guard let length = try? RequestHeadDraft.length(bytes, value),
            contentLength == nil || contentLength == length
        else { throw .invalidContentLength }
        contentLength = length
    }

    private mutating func takeConnection(_ bytes: UnsafeRawBufferPointer, _ value: Range<Int>) {
        bytes.forEachListElement(in: value) { option in
            if bytes.matches(option, "close") { closes = true }
            if bytes.matches(option, "keep-alive") { keepsAlive = true }
        }
    }

    // MARK: The whole

    private mutating func passInterim() throws(ResponseFault) {
        if status == 101 { throw .unaskedUpgrade }
        let (start, seen) = (lineStart, scanned)
        self = ResponseHeadParser()
        (lineStart, headStart, scanned) = (start, start, seen)
    }

    private func head(_ bytes: UnsafeRawBufferPointer) -> ResponseHead {
        let isPersistent = isVersion10 ? keepsAlive && !closes : !closes
        return ResponseHead(
            status: status,
            fields: HTTPFields(
                bytes: [UInt8](UnsafeRawBufferPointer(rebasing: bytes[headStart..<lineStart])), lines: lines),
            framing: framing,
            // Whoever says both, a length and chunks, may have been misled about where the message ends.
            keepsAlive: isPersistent && framing != .untilClose && !(isChunked && contentLength != nil))
    }

    private var framing: ResponseFraming {
        if status == 204 || status == 304 { return .none }
        if isChunked { return .chunked }
        return contentLength.map { .length($0) } ?? .untilClose
    }
}
