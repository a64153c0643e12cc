import HTTPWire

/// A pattern cut into its segments.
struct RoutePattern: Sendable {
    enum Segment: Equatable, Sendable {
        case literal([UInt8])
        case parameter(String)
        /// All that is left, at least one byte.
        case rest(String)

        /// Whether both take the same values, whatever they are called.
        func takesSame(as other: Segment) -> Bool {
            switch (self, other) {
            case (.literal(let left), .literal(let right)): left == right
            case (.parameter, .parameter), (.rest, .rest): true
            default: false
            }
        }
    }

    let segments: [Segment]
    /// The whole path, where it has no parameter.
    let staticPath: [UInt8]?

    init(_ text: String) throws(RouterFault) {
        let bytes = Array(text.utf8)
        guard bytes.first == 0x2F else { throw .invalidPattern(text) }
        var segments: [Segment] = []
        for piece in bytes.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false) {
            if case .rest = segments.last { throw .invalidPattern(text) }
            segments.append(try Self.segment(Array(piece), in: text))
        }
        let names = segments.compactMap { segment -> String? in
            switch segment {
            case .literal: nil
            case .parameter(let name), .rest(let name): name
            }
        }
        guard Set(names).count == names.count else { throw .invalidPattern(text) }
        self.segments = segments
        staticPath = names.isEmpty ? bytes : nil
    }

    private static func segment(_ piece: [UInt8], in pattern: String) throws(RouterFault) -> Segment {
        guard piece.first == 0x7B else {
            let isPlain = piece.allSatisfy {
                ($0 &- 0x30 < 10) || ($0 | 0x20) &- 0x61 < 26 || "-._~:@+,=".utf8.contains($0)
            }
            guard isPlain else { throw .invalidPattern(pattern) }
            return .literal(piece)
        }
        guard piece.last == 0x7D else { throw .invalidPattern(pattern) }
        var name = String(decoding: piece.dropFirst().dropLast(), as: UTF8.self)
        let takesRest = name.hasSuffix("*")
        if takesRest { name.removeLast() }
        guard !name.isEmpty,
            name.utf8.allSatisfy({ ($0 | 0x20) &- 0x61 < 26 || $0 == 0x5F || $0 &- 0x30 < 10 })
        else { throw .invalidPattern(pattern) }
        return takesRest ? .rest(name) : .parameter(name)
    }
}
