import JSON

/// Reads a stream of JSON values, each on a line of its own, as it arrives.
struct JSONLineReader: Sendable {
    /// A line longer than this is none.
    static let longestLine = 8 * 1024 * 1024

    /// The beginning of a line whose end has not come yet.
    private var partial: [UInt8] = []

    /// Gives each line that `bytes` complete to `body`.
    mutating func take(_ bytes: [UInt8], _ body: (JSONDocument) throws(UpstreamFault) -> Void)
        throws(UpstreamFault)
    {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0A) {
            let piece = rest[..<end]
            rest = rest[(end + 1)...]
            if partial.isEmpty {
                try give(piece, body)
            } else {
                try extend(piece)
                var line: [UInt8] = []
                swap(&line, &partial)
                try give(line[...], body)
            }
        }
        try extend(rest)
    }

    /// The stream is over: the last line needs no end.
    mutating func end(_ body: (JSONDocument) throws(UpstreamFault) -> Void) throws(UpstreamFault) {
        var line: [UInt8] = []
        swap(&line, &partial)
        try give(line[...], body)
    }

    private mutating func extend(_ piece: ArraySlice<UInt8>) throws(UpstreamFault) {
        guard partial.count + piece.count <= Self.longestLine else { throw Self.tooLong }
        partial.append(contentsOf: piece)
    }

    private func give(_ line: ArraySlice<UInt8>, _ body: (JSONDocument) throws(UpstreamFault) -> Void)
        throws(UpstreamFault)
    {
        guard line.count <= Self.longestLine else { throw Self.tooLong }
        // Lines may be empty, or end in a carriage return too.
        guard line.contains(where: { $0 != 0x20 && $0 != 0x0D && $0 != 0x09 }) else { return }
        try body(JSONDocument(upstream: Array(line)))
    }

    private static var tooLong: UpstreamFault { .garbled("a line of more than \(longestLine) bytes") }
}
