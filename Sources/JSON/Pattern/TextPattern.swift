/// A regular expression. It takes time in proportion to the text and to its own length, whatever the text.
package struct TextPattern: Sendable {
    /// As it was written, without the anchors.
    package let source: String
    private let steps: [Step]
    private let node: TextPatternNode
    /// Whether it is about any part of the text, and not about the whole.
    private let isSearch: Bool

    enum Step: Equatable, Sendable {
        /// Takes one scalar of these.
        case scalar([ClosedRange<UInt32>])
        case split(Int, Int)
        case jump(Int)
        case edge(Edge)
        case match
    }

    enum Edge: Equatable, Sendable {
        case start, end, word, noWord
    }

    /// Why a text is no expression.
    package struct Fault: Error, Equatable, Sendable {
        /// As it goes on after the field: "is no regular expression: …".
        package let reason: String
    }

    /// A pattern of others takes no more steps than this.
    static let largestSize = 10_000

    /// About the whole text, in the small language that ECMA-262, Python and this matcher read alike: literals, `\`
    /// before punctuation, `\u0041`, `[…]` and `[^…]`, `(…)`, `|`, `?`, `*`, `+`, `{n}` and `{n,m}`. So what the document
    /// declares is what is checked.
    ///
    /// Stops the process where `source` is no such expression: patterns are ours.
    package init(_ source: String) {
        var parser = TextPatternParser(source, .ours)
        do throws(Fault) { node = try parser.pattern() } catch {
            preconditionFailure("not a pattern: \(source): \(error.reason)")
        }
        self.source = source
        isSearch = false
        steps = Self.steps(of: node)
    }

    /// About any part of a text, as in JSON Schema: the expressions of ECMA-262 but for those that look around or back.
    package init(searching source: String) throws(Fault) {
        var parser = TextPatternParser(source, .ecma)
        node = try parser.pattern()
        guard node.size(limit: Self.largestSize) < Self.largestSize else {
            throw Fault(reason: "is too large")
        }
        self.source = source
        isSearch = true
        steps = Self.steps(of: node)
    }

    /// For JSON Schema, whose patterns are about any part of the text.
    package var anchored: String { "^(\(source))$" }

    /// A short text that fits it, as far as it is told by its pieces alone.
    package var sample: String {
        var text = String.UnicodeScalarView()
        node.sample(into: &text)
        return String(text)
    }

    package func matches(_ text: String) -> Bool {
        var budget = Int.max
        return matches(text, budget: &budget)
    }

    /// Walks all ways through the pattern at once, and takes from `budget` what it costs; where nothing is left it
    /// stops, and the answer means nothing.
    package func matches(_ text: String, budget: inout Int) -> Bool {
        let scalars = Array(text.unicodeScalars)
        var walk = Walk(steps)
        for position in 0...scalars.count {
            if position == 0 || isSearch { walk.enter(0, scalars, position) }
            let isThere = walk.current.contains { steps[$0] == .match }
            if isSearch && isThere { return true }
            if position == scalars.count { return isThere }
            budget -= walk.current.count + 1
            if budget <= 0 || (!isSearch && walk.current.isEmpty) { return false }
            walk.step(scalars, position)
        }
        return false
    }
}

// MARK: - Steps
extension TextPattern {
    private static func steps(of node: TextPatternNode) -> [Step] {
        var steps: [Step] = []
        emit(node, to: &steps)
        steps.append(.match)
        return steps
    }

    private static func emit(_ node: TextPatternNode, to steps: inout [Step]) {
        switch node {
        case .scalar(let ranges): steps.append(.scalar(ranges))
        case .sequence(let nodes): for node in nodes { emit(node, to: &steps) }
        case .choice(let nodes): emitChoice(nodes[...], to: &steps)
        case .edge(let edge): steps.append(.edge(edge))
        case .repetition(let node, let least, let most):
            for _ in 0..<least { emit(node, to: &steps) }
            guard let most else {
                let start = steps.count
                steps.append(.match)
                emit(node, to: &steps)
                steps.append(.jump(start))
                steps[start] = .split(start + 1, steps.count)
                return
            }
            var splits: [Int] = []
            for _ in least..<most {
                splits.append(steps.count)
                steps.append(.match)
                emit(node, to: &steps)
            }
            for split in splits { steps[split] = .split(split + 1, steps.count) }
        }
    }

    private static func emitChoice(_ nodes: ArraySlice<TextPatternNode>, to steps: inout [Step]) {
        var jumps: [Int] = []
        for (index, node) in nodes.enumerated() {
            if index == nodes.count - 1 {
                emit(node, to: &steps)
                break
            }
            let split = steps.count
            steps.append(.match)
            emit(node, to: &steps)
            jumps.append(steps.count)
            steps.append(.match)
            steps[split] = .split(split + 1, steps.count)
        }
        for jump in jumps { steps[jump] = .jump(steps.count) }
    }

    private struct Walk {
        let steps: [Step]
        var current: [Int] = []
        /// In which round a step was last entered, so that none is entered twice in one.
        private var entered: [Int]
        private var round = 1

        init(_ steps: [Step]) {
            self.steps = steps
            entered = [Int](repeating: 0, count: steps.count)
        }

        mutating func enter(_ start: Int, _ text: [Unicode.Scalar], _ position: Int) {
            var waiting = [start]
            while let step = waiting.popLast() {
                if entered[step] == round { continue }
                entered[step] = round
                switch steps[step] {
                case .jump(let next): waiting.append(next)
                case .split(let first, let second): waiting += [second, first]
                case .edge(let edge):
                    if edge.holds(in: text, at: position) { waiting.append(step + 1) }
                case .scalar, .match: current.append(step)
                }
            }
        }

        /// Takes the scalar at `position`.
        mutating func step(_ text: [Unicode.Scalar], _ position: Int) {
            let before = current
            let scalar = text[position].value
            current.removeAll(keepingCapacity: true)
            round += 1
            for step in before {
                if case .scalar(let ranges) = steps[step], ranges.contains(where: { $0.contains(scalar) }) {
                    enter(step + 1, text, position + 1)
                }
            }
        }
    }
}

extension TextPattern.Edge {
    fileprivate func holds(in text: [Unicode.Scalar], at position: Int) -> Bool {
        func isWord(_ position: Int) -> Bool {
            guard text.indices.contains(position) else { return false }
            return TextPatternParser.word.contains { $0.contains(text[position].value) }
        }
        return switch self {
        case .start: position == 0
        case .end: position == text.count
        case .word: isWord(position - 1) != isWord(position)
        case .noWord: isWord(position - 1) == isWord(position)
        }
    }
}
