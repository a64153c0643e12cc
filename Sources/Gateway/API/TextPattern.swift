/// A regular expression that is always about the whole text, in the small language that ECMA-262, Python and this
/// matcher read alike: literals, `\` before punctuation, `\u0041`, `[…]` and `[^…]`, `(…)`, `|`, `?`, `*`, `+`,
/// `{n}` and `{n,m}`. So what the document declares is what is checked. It takes time in proportion to the text,
/// whatever the text.
package struct TextPattern: Sendable {
    /// As it was written, without the anchors.
    package let source: String
    private let steps: [Step]

    enum Step: Equatable, Sendable {
        /// Takes one scalar of these.
        case scalar([ClosedRange<UInt32>])
        case split(Int, Int)
        case jump(Int)
        case match
    }

    /// Stops the process where `source` is no such expression: patterns are ours.
    package init(_ source: String) {
        self.source = source
        var parser = TextPatternParser(source)
        var steps: [Step] = []
        Self.emit(parser.pattern(), to: &steps)
        steps.append(.match)
        self.steps = steps
    }

    /// For JSON Schema, whose patterns are about any part of the text.
    package var anchored: String { "^(\(source))$" }

    private static func emit(_ node: TextPatternNode, to steps: inout [Step]) {
        switch node {
        case .scalar(let ranges): steps.append(.scalar(ranges))
        case .sequence(let nodes): for node in nodes { emit(node, to: &steps) }
        case .choice(let nodes): emitChoice(nodes[...], to: &steps)
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
        guard let first = nodes.first else { return }
        if nodes.count == 1 { return emit(first, to: &steps) }
        let split = steps.count
        steps.append(.match)
        emit(first, to: &steps)
        let jump = steps.count
        steps.append(.match)
        steps[split] = .split(split + 1, steps.count)
        emitChoice(nodes.dropFirst(), to: &steps)
        steps[jump] = .jump(steps.count)
    }

    /// Walks all ways through the pattern at once.
    package func matches(_ text: String) -> Bool {
        var walk = Walk(steps)
        walk.enter(0)
        for scalar in text.unicodeScalars {
            walk.step(scalar.value)
            if walk.current.isEmpty { return false }
        }
        return walk.current.contains { steps[$0] == .match }
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

        mutating func enter(_ start: Int) {
            var waiting = [start]
            while let step = waiting.popLast() {
                if entered[step] == round { continue }
                entered[step] = round
                switch steps[step] {
                case .jump(let next): waiting.append(next)
                case .split(let first, let second): waiting += [second, first]
                case .scalar, .match: current.append(step)
                }
            }
        }

        mutating func step(_ scalar: UInt32) {
            let before = current
            current.removeAll(keepingCapacity: true)
            round += 1
            for step in before {
                if case .scalar(let ranges) = steps[step], ranges.contains(where: { $0.contains(scalar) }) {
                    enter(step + 1)
                }
            }
        }
    }
}
