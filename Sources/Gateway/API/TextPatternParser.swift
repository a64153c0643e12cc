/// A piece of a `TextPattern`.
indirect enum TextPatternNode {
    case scalar([ClosedRange<UInt32>])
    case sequence([TextPatternNode])
    case choice([TextPatternNode])
    /// No upper bound where the last is `nil`.
    case repetition(TextPatternNode, Int, Int?)
}

/// Reads the language of `TextPattern`.
struct TextPatternParser {
    private static let largestScalar: UInt32 = 0x10FFFF

    private let source: String
    private var rest: ArraySlice<Unicode.Scalar>

    init(_ source: String) {
        self.source = source
        rest = Array(source.unicodeScalars)[...]
    }

    mutating func pattern() -> TextPatternNode {
        let node = choice()
        require(rest.isEmpty)
        return node
    }

    private func require(_ condition: Bool) {
        precondition(condition, "not a pattern: \(source)")
    }

    private mutating func take() -> Unicode.Scalar {
        guard let scalar = rest.popFirst() else { preconditionFailure("not a pattern: \(source)") }
        return scalar
    }

    private mutating func takes(_ scalar: Unicode.Scalar) -> Bool {
        guard rest.first == scalar else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func choice() -> TextPatternNode {
        var nodes = [sequence()]
        while takes("|") { nodes.append(sequence()) }
        return nodes.count == 1 ? nodes[0] : .choice(nodes)
    }

    private mutating func sequence() -> TextPatternNode {
        var nodes: [TextPatternNode] = []
        while let next = rest.first, next != "|", next != ")" { nodes.append(repetition()) }
        return .sequence(nodes)
    }

    private mutating func repetition() -> TextPatternNode {
        let node = atom()
        if takes("?") { return .repetition(node, 0, 1) }
        if takes("*") { return .repetition(node, 0, nil) }
        if takes("+") { return .repetition(node, 1, nil) }
        guard takes("{") else { return node }
        let least = number()
        let most = takes(",") ? number() : least
        require(takes("}") && least <= most && most > 0)
        return .repetition(node, least, most)
    }

    private mutating func number() -> Int {
        var digits = ""
        while let next = rest.first, ("0"..."9").contains(next) { digits.unicodeScalars.append(take()) }
        guard let number = Int(digits) else { preconditionFailure("not a pattern: \(source)") }
        return number
    }

    private mutating func atom() -> TextPatternNode {
        switch take() {
        case "(":
            let node = choice()
            require(takes(")"))
            return node
        case "[": return .scalar(scalarClass())
        case "\\":
            let scalar = escaped()
            return .scalar([scalar...scalar])
        case let scalar:
            require(!"^$.?*+{}[]()|/".unicodeScalars.contains(scalar) || scalar == "/")
            return .scalar([scalar.value...scalar.value])
        }
    }

    private mutating func escaped() -> UInt32 {
        let scalar = take()
        if scalar == "u" {
            let digits = String(String.UnicodeScalarView((0..<4).map { _ in take() }))
            guard let value = UInt32(digits, radix: 16) else {
                preconditionFailure("not a pattern: \(source)")
            }
            return value
        }
        require("^$\\.*+?()[]{}|/".unicodeScalars.contains(scalar))
        return scalar.value
    }

    private mutating func scalarClass() -> [ClosedRange<UInt32>] {
        let isNegated = takes("^")
        var ranges: [ClosedRange<UInt32>] = []
        while !takes("]") {
            let first = member()
            // A hyphen before the bracket is one.
            if rest.first == "-", rest.dropFirst().first != "]" {
                _ = take()
                let last = member()
                require(first <= last)
                ranges.append(first...last)
            } else {
                ranges.append(first...first)
            }
        }
        require(!ranges.isEmpty)
        return isNegated ? complement(of: ranges) : ranges
    }

    private mutating func member() -> UInt32 {
        let scalar = take()
        require(scalar != "[")
        return scalar == "\\" ? escaped() : scalar.value
    }

    private func complement(of ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var rest: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { rest.append(next...range.lowerBound - 1) }
            next = max(next, range.upperBound + 1)
        }
        if next <= Self.largestScalar { rest.append(next...Self.largestScalar) }
        return rest
    }
}
