/// A piece of a `TextPattern`.
indirect enum TextPatternNode: Sendable {
    case scalar([ClosedRange<UInt32>])
    case sequence([TextPatternNode])
    case choice([TextPatternNode])
    /// No upper bound where the last is `nil`.
    case repetition(TextPatternNode, Int, Int?)
    case edge(TextPattern.Edge)

    /// How many steps it takes, or `limit` where it takes more.
    func size(limit: Int) -> Int {
        switch self {
        case .scalar, .edge: return 1
        case .sequence(let nodes), .choice(let nodes):
            return min(limit, nodes.reduce(0) { min(limit, $0 + $1.size(limit: limit) + 2) })
        case .repetition(let node, let least, let most):
            let size = node.size(limit: limit) + 1
            let (product, isOver) = size.multipliedReportingOverflow(by: max(most ?? least + 1, 1))
            return isOver ? limit : min(limit, product)
        }
    }

    /// A short text that fits, as far as edges allow.
    func sample(into text: inout String.UnicodeScalarView) {
        switch self {
        case .scalar(let ranges):
            let liked: [ClosedRange<UInt32>] = [0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x20...0x7E]
            for range in liked + ranges {
                let first = ranges.first { $0.overlaps(range) }
                guard let first else { continue }
                if let scalar = Unicode.Scalar(max(first.lowerBound, range.lowerBound)) {
                    return text.append(scalar)
                }
            }
        case .sequence(let nodes): for node in nodes { node.sample(into: &text) }
        case .choice(let nodes): nodes.first?.sample(into: &text)
        case .repetition(let node, let least, _):
            for _ in 0..<least { node.sample(into: &text) }
        case .edge: return
        }
    }
}
