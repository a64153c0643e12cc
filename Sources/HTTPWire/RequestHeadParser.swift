/// What is known of a request head after the bytes so far.
package enum RequestHeadProgress: Equatable, Sendable {
    case needMore
    /// The head and how many bytes it took.
    case head(RequestHead, consumed: Int)
    case fault(RequestFault)
}

/// The named bounds of a request head.
package struct RequestHeadLimits: Sendable {
    /// Beyond it 414.
    package var targetBytes = 8 * 1024
    /// All header lines together, line ends included; beyond it 431.
    package var fieldBytes = 16 * 1024
    /// Beyond it 431.
    package var fieldCount = 100

    package init() {}

    /// Room for the longest method, the version and the spaces beside the target.
    static let requestLineSlack = 64
}

/// Parses a request head strictly, line by line, as its bytes arrive.
///
/// `parse` is given all bytes since the head began, each time more of them; it remembers how far it has
/// looked, so that bytes that drip in one by one are still looked at once. What it answers depends on the
/// bytes only, neither on how they were cut (a line is judged when it is whole or has outgrown its limit) nor on what came
/// before: a head that is the last one again is known, and not read.
package struct RequestHeadParser: Sendable {
    package let limits: RequestHeadLimits

    private var stage = Stage.beforeRequest
    /// Where the line begins that is being looked for.
    private var lineStart = 0
    /// Up to where no line feed was found.
    private var scanned = 0
    private var fieldsStart = 0
    private var draft = RequestHeadDraft()
    /// The head before this one.
    private var last: RequestHead?
    /// A larger one is not remembered.
    private static let largestRemembered = 2048
    /// Whether the head that was answered last is the one before it again, but perhaps for the length of its body.
    package private(set) var hasRepeated = false
    /// Whether one that is the same would be known again.
    package var remembersLast: Bool { last != nil }

    private enum Stage: Sendable { case beforeRequest, requestLine, fields }

    package init(limits: RequestHeadLimits = RequestHeadLimits()) { self.limits = limits }

    /// Whether bytes of a request have been seen.
    package var hasBegun: Bool { scanned > 0 }

    package mutating func parse(_ bytes: UnsafeRawBufferPointer) -> RequestHeadProgress {
        if scanned == 0, let head = last?.repeated(in: bytes) {
            hasRepeated = true
            return .head(head, consumed: head.fields.bytes.count)
        }
        do throws(RequestFault) {
            while let end = try nextLine(bytes) {
                let line = lineStart..<end - 1
                lineStart = end + 1
                guard try take(line, in: bytes) else { continue }
                let head = try draft.finish(bytes, headEnd: lineStart)
                let consumed = lineStart
                reset()
                hasRepeated = false
                last = consumed <= Self.largestRemembered ? head : nil
                return .head(head, consumed: consumed)
            }
            return .needMore
        } catch {
            return .fault(error)
        }
    }

    package mutating func parse(_ bytes: [UInt8]) -> RequestHeadProgress {
        bytes.withUnsafeBytes { parse($0) }
    }

    private mutating func reset() {
        stage = .beforeRequest
        lineStart = 0
        scanned = 0
        draft = RequestHeadDraft()
    }

    /// The index of the line feed that ends the current line, or nil while it is not there.
    @inline(__always)
    private mutating func nextLine(_ bytes: UnsafeRawBufferPointer) throws(RequestFault) -> Int? {
        let found = bytes.firstIndex(of: ASCII.lineFeed, from: scanned)
        let end = found ?? bytes.count
        if stage != .fields, lineStart < bytes.count { try checkFirst(bytes[lineStart]) }
        try checkLimits(upTo: end)
        guard let found else {
            scanned = end
            return nil
        }
        scanned = found + 1
        guard found > lineStart, bytes[found - 1] == ASCII.carriageReturn else { throw .bareLineFeed }
        return found
    }

    /// A line that has outgrown its limit is refused before it is whole, and for that reason whatever it
    /// holds.
    @inline(__always)
    private func checkLimits(upTo end: Int) throws(RequestFault) {
        if stage == .fields {
            if end - fieldsStart >= limits.fieldBytes { throw .fieldsTooLarge }
        } else if end - lineStart > limits.targetBytes + RequestHeadLimits.requestLineSlack {
            throw .targetTooLong
        }
    }

    /// Whatever does not even begin like a request (a TLS hello, say) is not waited for.
    @inline(__always)
    private func checkFirst(_ byte: UInt8) throws(RequestFault) {
        if ByteSet.token.contains(byte) { return }
        if byte == ASCII.lineFeed { throw .bareLineFeed }
        if byte == ASCII.carriageReturn && stage == .beforeRequest { return }
        throw .malformedRequestLine
    }

    /// Takes one line without its end; true when it was the last of the head.
    @inline(__always)
    private mutating func take(_ line: Range<Int>, in bytes: UnsafeRawBufferPointer) throws(RequestFault)
        -> Bool
    {
        switch stage {
        case .fields:
            if line.isEmpty { return true }
            if draft.lines.count == limits.fieldCount { throw .tooManyFields }
            try draft.takeField(bytes, line)
        case .beforeRequest where line.isEmpty:
            // RFC 9112, 2.2: one empty line before a request is forgiven, no more.
            stage = .requestLine
        case .beforeRequest, .requestLine:
            try draft.takeRequestLine(bytes, line, targetLimit: limits.targetBytes)
            stage = .fields
            fieldsStart = lineStart
        }
        return false
    }
}
