// fuzz-target: sse
// fuzz-modules: HTTPWire Base
// fuzz-max-length: 4096
// fuzz-link: -lcrypto
import HTTPWire

private enum Seen: Equatable {
    case event([UInt8], [UInt8])
    case bare([UInt8])
    case comment([UInt8])
    case tooLarge
    case partial
}

private func parse(_ bytes: UnsafeRawBufferPointer, piece: Int) -> [Seen] {
    var parser = SSEParser(eventLimit: 256)
    var seen: [Seen] = []
    var start = 0
    while start < bytes.count {
        let input = UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + piece)])
        var position = 0
        loop: while true {
            switch parser.next(input, &position) {
            case .needMore: break loop
            case .event: seen.append(.event(parser.event, parser.data))
            case .eventWithoutData: seen.append(.bare(parser.event))
            case .comment: seen.append(.comment(parser.comment))
            case .tooLarge: return seen + [.tooLarge]
            }
        }
        start += input.count
    }
    return parser.endsWithinEvent ? seen + [.partial] : seen
}

/// A stream of events must not depend on how it arrives, and what was written must be read back as one event.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSSE(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    let whole = parse(bytes, piece: max(1, count))
    for piece in [1, 2, 3, 7] {
        precondition(parse(bytes, piece: piece) == whole, "in pieces the answer differs")
    }

    var wire: [UInt8] = []
    SSEWriter.append(data: bytes, to: &wire)
    let back = wire.withUnsafeBytes { parse($0, piece: $0.count) }
    precondition(back.count == 1, "one event was written, others were read")
    return 0
}
