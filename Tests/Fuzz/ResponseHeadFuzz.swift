// fuzz-target: response-head
// fuzz-modules: HTTPWire Base
// fuzz-max-length: 16384
// fuzz-link: -lcrypto
import HTTPWire

/// What an answer's head means must not depend on how its bytes arrive, and neither may where its body ends.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzResponseHead(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    var whole = ResponseHeadParser()
    let expected = whole.parse(bytes)

    var dripping = ResponseHeadParser()
    var progress = ResponseHeadParser.Progress.needMore
    for end in 0...count where progress == .needMore {
        progress = dripping.parse(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
    }
    precondition(progress == expected, "byte by byte the answer differs")

    guard case .head(let head, let consumed) = expected else { return 0 }
    precondition(consumed <= count && (200..<1000).contains(head.status))
    for field in head.fields.pairs {
        precondition(
            !field.name.isEmpty && !field.value.utf8.contains { $0 == 0x0A || $0 == 0x0D || $0 == 0 })
    }
    let rest = UnsafeRawBufferPointer(rebasing: bytes[consumed...])
    precondition(body(head.framing, rest, piece: 1) == body(head.framing, rest, piece: max(1, rest.count)))
    return 0
}

private struct Body: Equatable {
    var bytes: [UInt8] = []
    var used = 0
    var isComplete = false
    var fault: ChunkedFault?
}

private func body(_ framing: ResponseFraming, _ bytes: UnsafeRawBufferPointer, piece: Int) -> Body {
    var reader = BodyReader(framing)
    var body = Body()
    while body.used < bytes.count, !reader.isComplete {
        let end = min(bytes.count, body.used + piece)
        let input = UnsafeRawBufferPointer(rebasing: bytes[body.used..<end])
        do throws(ChunkedFault) {
            body.used += try reader.read(input) { body.bytes.append(contentsOf: $0) }
        } catch {
            return Body(fault: error)
        }
    }
    body.isComplete = reader.isComplete
    return body
}
