/// Where a message's body ends, and how much of it has come.
package struct BodyReader: Sendable {
    private var remaining = 0
    private var chunks: ChunkedDecoder?
    /// Bytes of the body so far.
    package private(set) var received = 0
    package private(set) var isComplete = true
    /// Whether the body ends with the connection.
    package private(set) var endsWithConnection = false

    package init() {}

    package init(_ framing: RequestHead.BodyFraming) {
        switch framing {
        case .none: break
        case .length(let length): (remaining, isComplete) = (length, false)
        case .chunked: (chunks, isComplete) = (ChunkedDecoder(.request), false)
        }
    }

    package init(_ framing: ResponseFraming) {
        switch framing {
        case .none, .length(0): break
        case .length(let length): (remaining, isComplete) = (length, false)
        case .chunked: (chunks, isComplete) = (ChunkedDecoder(.response), false)
        case .untilClose: (remaining, isComplete, endsWithConnection) = (.max, false, true)
        }
    }

    /// What is known to be missing; `nil` for a chunked body.
    package var missing: Int? { chunks == nil ? remaining : nil }

    /// Takes what belongs to the body from `input`, gives it to `take`, and answers how much of the input
    /// that was.
    package mutating func read(
        _ input: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Void
    ) throws(ChunkedFault) -> Int {
        if isComplete { return 0 }
        guard chunks != nil else {
            let count = min(remaining, input.count)
            if count > 0 { take(UnsafeRawBufferPointer(rebasing: input[..<count])) }
            advance(count)
            return count
        }
        var position = 0
        while true {
            switch chunks?.decode(input, &position) {
            case .data(let range):
                received += range.count
                take(UnsafeRawBufferPointer(rebasing: input[range]))
            case .end, nil:
                isComplete = true
                return position
            case .needMore: return position
            case .fault(let fault): throw fault
            }
        }
    }

    /// `count` bytes of a body of known length were taken elsewhere.
    package mutating func advance(_ count: Int) {
        remaining -= count
        received += count
        isComplete = remaining == 0
    }
}
