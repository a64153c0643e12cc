// fuzz-target: chunked
// fuzz-modules: HTTPWire Base
// fuzz-max-length: 8192
// fuzz-link: -lcrypto
import HTTPWire

private struct Outcome: Equatable {
    var body: [UInt8] = []
    var end = ChunkedDecoder.Event.needMore
    var consumed = 0
}

private func decode(_ bytes: UnsafeRawBufferPointer, piece: Int) -> Outcome {
    var decoder = ChunkedDecoder(.request)
    var outcome = Outcome()
    var start = 0
    while start < bytes.count, outcome.end == .needMore {
        let input = UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + piece)])
        var position = 0
        while outcome.end == .needMore {
            let event = decoder.decode(input, &position)
            if case .data(let range) = event {
                outcome.body.append(contentsOf: input[range])
            } else if event == .needMore {
                precondition(position == input.count)
                break
            } else {
                outcome.end = event
            }
        }
        outcome.consumed = start + position
        start += input.count
    }
    return outcome
}

/// A chunked body must not depend on how it arrives, and what is taken apart must be what was put together.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzChunked(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    let whole = decode(bytes, piece: max(1, count))
    for piece in [1, 2, 3, 7] {
        precondition(decode(bytes, piece: piece) == whole, "in pieces the answer differs")
    }

    var wire: [UInt8] = []
    ChunkedEncoder.append(bytes, to: &wire)
    ChunkedEncoder.appendEnd(to: &wire)
    let back = wire.withUnsafeBytes { decode($0, piece: $0.count) }
    precondition(back == Outcome(body: Array(bytes), end: .end, consumed: wire.count))
    return 0
}
