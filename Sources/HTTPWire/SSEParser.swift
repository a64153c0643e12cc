import Base

/// Takes a stream of server-sent events apart as it arrives (the WHATWG rules), whatever the cuts and line
/// ends.
///
/// `next` answers one signal at a time; after `.event` the parts lie in `event`, `data` and `identifier`
/// until the next call. Buffers are reused, so a long stream costs no allocation for each event.
package struct SSEParser: Sendable {
    /// The bytes of one event, and of one line, that are kept at most.
    package let eventLimit: Int
    /// The value of the last `event:` line; empty where there was none.
    package private(set) var event: [UInt8] = []
    /// The values of the `data:` lines, joined by line feeds.
    package private(set) var data: [UInt8] = []
    /// The last `id:` seen on the stream.
    package private(set) var identifier: [UInt8] = []
    /// The text of the comment, after `.comment`.
    package private(set) var comment: [UInt8] = []
    /// The last `retry:` seen on the stream.
    package private(set) var retryMilliseconds: Int?

    /// The beginning of a line whose end has not come yet.
    private var partialLine: [UInt8] = []
    private var hasData = false
    private var isAtStart = true
    private var followsCarriageReturn = false
    private var mustClear = false
    private var hasFailed = false

    package enum Signal: Equatable, Sendable {
        case needMore
        /// An event with data.
        case event
        /// An `event:` line and an empty line without data between them; a browser would ignore it.
        case eventWithoutData
        case comment
        /// An event or a line beyond `eventLimit`. The parser takes nothing more.
        case tooLarge
    }

    package static let defaultEventLimit = 1024 * 1024

    package init(eventLimit: Int = SSEParser.defaultEventLimit) { self.eventLimit = eventLimit }

    /// Reads `input` from `position` on up to the next signal and moves `position` past what was read.
    package mutating func next(_ input: UnsafeRawBufferPointer, _ position: inout Int) -> Signal {
        if hasFailed { return .tooLarge }
        if mustClear { clear() }
        while position < input.count {
            if followsCarriageReturn {
                followsCarriageReturn = false
                if input[position] == ASCII.lineFeed {
                    position += 1
                    continue
                }
            }
            guard let end = input.firstLineEnd(from: position) else {
                let rest = UnsafeRawBufferPointer(rebasing: input[position...])
                position = input.count
                if isTooLarge(adding: rest.count) { return fail() }
                partialLine.append(rest)
                return .needMore
            }
            let piece = UnsafeRawBufferPointer(rebasing: input[position..<end])
            followsCarriageReturn = input[end] == ASCII.carriageReturn
            position = end + 1
            if isTooLarge(adding: piece.count) { return fail() }
            if let signal = takeLine(endingIn: piece) { return signal }
        }
        return .needMore
    }

    /// At the end of the stream: whether it broke off within an event, which is then lost.
    package var endsWithinEvent: Bool {
        !mustClear && (hasData || !event.isEmpty || !partialLine.isEmpty)
    }

    private func isTooLarge(adding count: Int) -> Bool {
        partialLine.count + data.count + count > eventLimit
    }

    private mutating func fail() -> Signal {
        hasFailed = true
        return .tooLarge
    }

    private mutating func clear() {
        mustClear = false
        hasData = false
        event.removeAll(keepingCapacity: true)
        data.removeAll(keepingCapacity: true)
    }

    private mutating func takeLine(endingIn piece: UnsafeRawBufferPointer) -> Signal? {
        if partialLine.isEmpty { return takeLine(piece) }
        var line: [UInt8] = []
        swap(&line, &partialLine)
        line.append(piece)
        let signal = line.withUnsafeBytes { takeLine($0) }
        line.removeAll(keepingCapacity: true)
        swap(&line, &partialLine)
        return signal
    }

    private mutating func takeLine(_ whole: UnsafeRawBufferPointer) -> Signal? {
        var line = whole
        if isAtStart {
            isAtStart = false
            if line.count >= 3, line[0] == 0xEF, line[1] == 0xBB, line[2] == 0xBF {
                line = UnsafeRawBufferPointer(rebasing: line[3...])
            }
        }
        guard let first = line.first else { return dispatch() }
        if first == ASCII.colon {
            comment.removeAll(keepingCapacity: true)
            comment.append(Self.value(line, after: 0))
            return .comment
        }
        let colon = line.firstIndex(of: ASCII.colon) ?? line.count
        take(name: 0..<colon, value: Self.value(line, after: colon), of: line)
        return nil
    }

    private mutating func dispatch() -> Signal? {
        guard hasData || !event.isEmpty else { return nil }
        mustClear = true
        return hasData ? .event : .eventWithoutData
    }

    /// What follows the colon, without one space.
    private static func value(_ line: UnsafeRawBufferPointer, after colon: Int) -> UnsafeRawBufferPointer {
        var start = min(colon + 1, line.count)
        if start < line.count, line[start] == ASCII.space { start += 1 }
        return UnsafeRawBufferPointer(rebasing: line[start...])
    }

    private mutating func take(
        name: Range<Int>, value: UnsafeRawBufferPointer, of line: UnsafeRawBufferPointer
    ) {
        switch name.count {
        case 4 where Self.equals(line, name, "data"):
            if hasData { data.append(ASCII.lineFeed) }
            hasData = true
            data.append(value)
        case 5 where Self.equals(line, name, "event"):
            event.removeAll(keepingCapacity: true)
            event.append(value)
        case 2 where Self.equals(line, name, "id"):
            if value.contains(0) { return }
            identifier.removeAll(keepingCapacity: true)
            identifier.append(value)
        case 5 where Self.equals(line, name, "retry"):
            guard (1...9).contains(value.count), value.allSatisfy(ASCII.isDigit) else { return }
            retryMilliseconds = value.reduce(0) { $0 * 10 + Int($1 - ASCII.zero) }
        default:
            break
        }
    }

    /// Field names of events are case-sensitive.
    private static func equals(_ line: UnsafeRawBufferPointer, _ name: Range<Int>, _ word: StaticString)
        -> Bool
    {
        name.allSatisfy { line[$0] == word.utf8Start[$0 - name.lowerBound] }
    }
}
