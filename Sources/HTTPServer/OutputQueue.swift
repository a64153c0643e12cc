import Base

/// Bytes to be sent, in order. Small pieces gather in one buffer; a large array is kept as it is and sent
/// without a copy.
struct OutputQueue {
    /// A gathering buffer grows no further than this.
    static let segmentBytes = 64 * 1024
    /// From this size on an array is not copied.
    static let wholeBytes = 16 * 1024

    /// Finished segments before the tail.
    private var segments: [[UInt8]] = []
    private var firstSegment = 0
    /// The buffer that small pieces gather in.
    private var tail: [UInt8] = []
    /// How much of the first segment (or of the tail, where there is none) is sent.
    private var sent = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }
    /// Whether the tail has memory of its own.
    var hasBuffer: Bool { tail.capacity > 0 }

    /// Gives the tail a buffer to reuse.
    mutating func adopt(_ buffer: consuming [UInt8]) { tail = buffer }

    /// Takes the buffer of an empty queue away for somebody else.
    mutating func surrender() -> [UInt8] {
        var buffer: [UInt8] = []
        swap(&buffer, &tail)
        buffer.removeAll(keepingCapacity: true)
        return buffer
    }

    /// Appends with `body`, which must only append to the buffer.
    mutating func append<Failure: Error>(
        expecting size: Int = 0, _ body: (inout [UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        if tail.count + size > Self.segmentBytes { seal() }
        let before = tail.count
        try body(&tail)
        count += tail.count - before
    }

    mutating func append(_ bytes: [UInt8]) {
        if bytes.count < Self.wholeBytes {
            append(expecting: bytes.count) { $0.append(contentsOf: bytes) }
        } else {
            seal()
            segments.append(bytes)
            count += bytes.count
        }
    }

    private mutating func seal() {
        if tail.isEmpty { return }
        var sealed: [UInt8] = []
        swap(&sealed, &tail)
        segments.append(sealed)
    }

    /// The next bytes to send and whether others follow.
    func withFirst<Result>(_ body: (UnsafeRawBufferPointer, _ more: Bool) -> Result) -> Result {
        let isTail = firstSegment == segments.count
        return (isTail ? tail : segments[firstSegment]).withUnsafeBytes { bytes in
            let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
            return body(rest, rest.count < count)
        }
    }

    /// Forgets the first `sentNow` bytes, which are no more than `withFirst` gave.
    mutating func consume(_ sentNow: Int) {
        count -= sentNow
        sent += sentNow
        if firstSegment < segments.count {
            guard sent == segments[firstSegment].count else { return }
            segments[firstSegment] = []
            firstSegment += 1
            sent = 0
            if firstSegment == segments.count {
                segments.removeAll()
                firstSegment = 0
            }
        } else if sent == tail.count {
            tail.removeAll(keepingCapacity: true)
            sent = 0
        }
    }

    mutating func removeAll() { self = OutputQueue() }
}
