import Base

/// Passes an upstream's event stream on in whole events, and knows at its end whether it was whole.
package struct OpenAIStreamRelay: Sendable {
    /// An event larger than this is not an event.
    package static let largestEvent = 4 * 1024 * 1024

    /// What has come of an event that is not whole yet.
    private var pending: [UInt8] = []
    /// Whether `data: [DONE]` has come.
    package private(set) var isDone = false
    private static let end = Array("data: [DONE]".utf8)

    package init() {}

    package enum Failure: Error, Equatable, Sendable {
        case eventTooLarge
    }

    /// Takes the next piece and gives back all events that are whole now, byte for byte.
    package mutating func take(_ piece: [UInt8]) throws(Failure) -> [UInt8] {
        pending.append(contentsOf: piece)
        guard let end = Self.endOfLastEvent(in: pending) else {
            if pending.count > Self.largestEvent { throw .eventTooLarge }
            return []
        }
        var whole: [UInt8] = []
        if end == pending.count {
            swap(&whole, &pending)
        } else {
            whole = Array(pending[..<end])
            pending.removeFirst(end)
        }
        if Self.endsWithDone(whole) { isDone = true }
        return whole
    }

    /// Behind the last empty line, whichever line ends the upstream uses.
    private static func endOfLastEvent(in bytes: [UInt8]) -> Int? {
        var index = bytes.count
        while index > 1 {
            if bytes[index - 1] == 0x0A {
                if bytes[index - 2] == 0x0A { return index }
                if index > 3, bytes[index - 2] == 0x0D, bytes[index - 3] == 0x0A { return index }
            }
            index -= 1
        }
        return nil
    }

    private static func endsWithDone(_ events: [UInt8]) -> Bool {
        var end = events.count
        while end > 0, events[end - 1] == 0x0A || events[end - 1] == 0x0D || events[end - 1] == 0x20 {
            end -= 1
        }
        return end >= Self.end.count && events[(end - Self.end.count)..<end].elementsEqual(Self.end)
    }
}
