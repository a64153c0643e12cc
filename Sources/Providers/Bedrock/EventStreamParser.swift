import Base

/// Takes `application/vnd.amazon.eventstream` apart as it arrives, whatever the cuts. A frame either of whose checksums
/// is wrong makes the stream garbled.
struct EventStreamParser: Sendable {
    /// A frame larger than this is none; AWS sends none above it.
    static let largestFrame = 16 * 1024 * 1024
    /// The length of the frame, that of its headers, and the checksum of both.
    static let preludeSize = 12
    static let checksumSize = 4

    /// What has come of a frame that is not whole yet.
    private var pending: [UInt8] = []

    /// Gives each frame that `bytes` complete to `body`.
    mutating func take(
        _ bytes: [UInt8], _ body: (EventStreamFrame) throws(UpstreamFault) -> Void
    ) throws(UpstreamFault) {
        pending.append(contentsOf: bytes)
        var start = 0
        while pending.count - start >= Self.preludeSize {
            let size = try frameSize(at: start)
            guard pending.count - start >= size else { break }
            let frame = pending[start..<start + size]
            let end = frame.endIndex - Self.checksumSize
            guard CRC32.checksum(of: frame[..<end]) == Self.number(frame, at: end) else {
                throw .garbled("a frame whose checksum is wrong")
            }
            let headerCount = Int(Self.number(frame, at: start + 4))
            try body(try EventStreamFrame(frame, headerCount: headerCount))
            start += size
        }
        if start > 0 { pending.removeFirst(start) }
    }

    /// Whether the stream broke off within a frame.
    var endsWithinFrame: Bool { !pending.isEmpty }

    private func frameSize(at start: Int) throws(UpstreamFault) -> Int {
        let prelude = pending[start..<start + Self.preludeSize - Self.checksumSize]
        guard CRC32.checksum(of: prelude) == Self.number(pending[...], at: prelude.endIndex) else {
            throw .garbled("a frame whose beginning has a wrong checksum")
        }
        let size = Int(Self.number(prelude, at: start))
        let headers = Int(Self.number(prelude, at: start + 4))
        let least = Self.preludeSize + Self.checksumSize
        guard size <= Self.largestFrame else { throw .garbled("a frame of \(size) bytes") }
        guard size >= least + headers else { throw .garbled("a frame that is shorter than its headers") }
        return size
    }

    /// Four bytes, the greatest first.
    private static func number(_ bytes: ArraySlice<UInt8>, at index: Int) -> UInt32 {
        bytes[index..<index + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
