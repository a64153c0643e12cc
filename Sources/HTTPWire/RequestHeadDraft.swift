/// A request head while its lines are being read.
struct RequestHeadDraft: Sendable {
    var method = HTTPMethod.get
    var version = HTTPVersion.http11
    var target = 0..<0
    var path = 0..<0
    var query: Range<Int>?
    /// The authority of an absolute-form target.
    var authority: Range<Int>?
    var host: Range<Int>?
    var contentLength: Int?
    var lengthRange: Range<Int>?
    var isChunked = false
    var closes = false
    var keepsAlive = false
    var upgrades = false
    var expectation = RequestHead.Expectation.none
    var lines: [HTTPFields.Line] = []

    /// Fields of an ordinary client: one allocation holds them.
    private static let usualFieldCount = 16

    // MARK: Request line

    mutating func takeRequestLine(
        _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, targetLimit: Int
    ) throws(RequestFault) {
        var index = line.lowerBound
        while index < line.upperBound, ByteSet.token.contains(bytes[index]) { index &+= 1 }
        guard index > line.lowerBound, index < line.upperBound else { throw .malformedRequestLine }
        guard bytes[index] == ASCII.space else { throw .malformedMethod }
        let methodRange = line.lowerBound..<index

        let targetStart = index + 1
        guard let targetEnd = bytes.firstIndex(of: ASCII.space, from: targetStart),
            targetEnd < line.upperBound
        else { throw .malformedRequestLine }
        version = try Self.version(bytes, targetEnd + 1..<line.upperBound)
        guard let known = HTTPMethod(bytes, methodRange) else { throw .unknownMethod }
        method = known
        target = targetStart..<targetEnd
        if target.count > targetLimit { throw .targetTooLong }
        try takeTarget(bytes)
        lines.reserveCapacity(Self.usualFieldCount)
    }

    private static func version(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>
    ) throws(RequestFault) -> HTTPVersion {
        let start = range.lowerBound
        let prefix: StaticString = "HTTP/"
        guard range.count == 8, (0..<5).allSatisfy({ bytes[start + $0] == prefix.utf8Start[$0] }),
            ASCII.isDigit(bytes[start + 5]), bytes[start + 6] == ASCII.dot, ASCII.isDigit(bytes[start + 7])
        else { throw .malformedVersion }
        guard bytes[start + 5] == ASCII.zero + 1 else { throw .unsupportedVersion }
        switch bytes[start + 7] {
        case ASCII.zero: return .http10
        case ASCII.zero + 1: return .http11
        default: throw .unsupportedVersion
        }
    }

    /// Origin form, `*` of OPTIONS, or absolute form. Authority form belongs to CONNECT, which is not served.
    private mutating func takeTarget(_ bytes: UnsafeRawBufferPointer) throws(RequestFault) {
        guard !target.isEmpty else { throw .malformedRequestLine }
        if bytes[target.lowerBound] == ASCII.slash {
            return try takePath(bytes, from: target.lowerBound)
        }
        if target.count == 1, bytes[target.lowerBound] == ASCII.asterisk, method == .options {
            path = target
            return
        }
        let schemes: [StaticString] = ["http://", "https://"]
        for scheme in schemes {
            let end = target.lowerBound + scheme.utf8CodeUnitCount
            guard end <= target.upperBound, bytes.matches(target.lowerBound..<end, scheme) else { continue }
            var index = end
            while index < target.upperBound, bytes[index] != ASCII.slash, bytes[index] != ASCII.question {
                index += 1
            }
            authority = end..<index
            try takePath(bytes, from: index)
            // An absent path is the root: any slash of the bytes will do, and the scheme has one.
            if path.isEmpty { path = end - 1..<end }
            return
        }
        throw .malformedTarget
    }

    private mutating func takePath(_ bytes: UnsafeRawBufferPointer, from start: Int) throws(RequestFault) {
        var index = start
        var allowed = ByteSet.path
        path = start..<target.upperBound
        while index < target.upperBound {
            let byte = bytes[index]
            if allowed.contains(byte) {
                index &+= 1
            } else if byte == ASCII.percent {
                guard index + 2 < target.upperBound, let high = ASCII.hexValue(bytes[index + 1]),
                    let low = ASCII.hexValue(bytes[index + 2]), high | low != 0
                else { throw .malformedTarget }
                index &+= 3
            } else if byte == ASCII.question, query == nil {
                path = start..<index
                query = index + 1..<target.upperBound
                allowed = .query
                index &+= 1
            } else {
                throw .malformedTarget
            }
        }
    }

    // MARK: The whole

    func finish(_ bytes: UnsafeRawBufferPointer, headEnd: Int) throws(RequestFault) -> RequestHead {
        if host == nil, version == .http11 { throw .missingHost }
        if let authority {
            try HostValue.validate(bytes, authority)
            if let host {
                guard host.count == authority.count,
                    (0..<host.count).allSatisfy({
                        ASCII.lowercased(bytes[host.lowerBound + $0])
                            == ASCII.lowercased(bytes[authority.lowerBound + $0])
                    })
                else { throw .hostMismatch }
            }
        }
        if isChunked {
            if contentLength != nil { throw .contentLengthWithTransferEncoding }
            if version == .http10 { throw .transferEncodingInHTTP10 }
        }
        let framing: RequestHead.BodyFraming =
            isChunked ? .chunked : contentLength.map { $0 == 0 ? .none : .length($0) } ?? .none
        return RequestHead(
            method: method, version: version, framing: framing,
            expectation: version == .http10 ? .none : expectation,
            keepsAlive: version == .http11 ? !closes : keepsAlive && !closes,
            wantsUpgrade: upgrades && version == .http11,
            fields: HTTPFields(
                bytes: [UInt8](UnsafeRawBufferPointer(rebasing: bytes[0..<headEnd])), lines: lines),
            targetRange: target, pathRange: path, queryRange: query, hostRange: host ?? authority,
            lengthRange: lengthRange)
    }
}
