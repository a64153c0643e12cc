// fuzz-target: http-head
// fuzz-modules: HTTPWire Base
// fuzz-max-length: 16384
// fuzz-link: -lcrypto
import HTTPWire

/// The answer to a request head must not depend on how its bytes arrive, and what is taken must be in bounds.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHTTPHead(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    var whole = RequestHeadParser()
    let expected = whole.parse(bytes)

    var dripping = RequestHeadParser()
    var answer = RequestHeadProgress.needMore
    for end in 0...count where answer == .needMore {
        answer = dripping.parse(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
    }
    precondition(answer == expected, "byte by byte the answer differs")

    if case .head(let head, let consumed) = expected {
        precondition(consumed <= count)
        precondition(head.fields.count <= RequestHeadLimits().fieldCount)
        precondition(head.path.first == 0x2F || head.path.elementsEqual([0x2A]))
        for field in head.fields.pairs {
            precondition(
                !field.name.isEmpty && !field.value.utf8.contains { $0 == 0x0A || $0 == 0x0D || $0 == 0 })
        }
        _ = try? head.queryItems()
        _ = try? WebSocketHandshake.accept(head)
        _ = head.hasContentCoding
        _ = AcceptEncoding(head.fields.values("accept-encoding"))
        _ = EntityTagCondition.matches(head.fields.values("if-none-match"), tag: [0x22, 0x61, 0x22])
        if case .part(let range) = RangeRequest(head.fields["range"], length: 100) {
            precondition(range.lowerBound >= 0 && range.upperBound <= 100 && !range.isEmpty)
        }
    }
    return 0
}
