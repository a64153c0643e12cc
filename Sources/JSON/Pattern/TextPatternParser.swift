/// Reads the languages of `TextPattern`.
struct TextPatternParser {
    enum Language {
        /// What everybody reads alike.
        case ours
        /// ECMA-262, with what browsers forgive.
        case ecma
    }

    private static let largestScalar: UInt32 = 0x10FFFF
    /// Groups nest no deeper.
    private static let deepest = 100
    /// A bound of a repetition has no more digits.
    private static let longestNumber = 6

    private let language: Language
    private var rest: ArraySlice<Unicode.Scalar>
    private var depth = 0

    init(_ source: String, _ language: Language) {
        self.language = language
        rest = Array(source.unicodeScalars)[...]
    }

    mutating func pattern() throws(TextPattern.Fault) -> TextPatternNode {
        let node = try choice()
        try require(rest.isEmpty)
        return node
    }

    private func require(
        _ condition: Bool, _ reason: @autoclosure () -> String = "is no regular expression"
    ) throws(TextPattern.Fault) {
        if !condition { throw TextPattern.Fault(reason: reason()) }
    }

    private mutating func take() throws(TextPattern.Fault) -> Unicode.Scalar {
        guard let scalar = rest.popFirst() else {
            throw TextPattern.Fault(reason: "is no regular expression: it ends too early")
        }
        return scalar
    }

    private mutating func takes(_ scalar: Unicode.Scalar) -> Bool {
        guard rest.first == scalar else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func takes(text: String) -> Bool {
        guard rest.starts(with: text.unicodeScalars) else { return false }
        rest.removeFirst(text.unicodeScalars.count)
        return true
    }

    private mutating func choice() throws(TextPattern.Fault) -> TextPatternNode {
        depth += 1
        defer { depth -= 1 }
        try require(depth <= Self.deepest, "nests too deep")
        var nodes = [try sequence()]
        while takes("|") { nodes.append(try sequence()) }
        return nodes.count == 1 ? nodes[0] : .choice(nodes)
    }

    private mutating func sequence() throws(TextPattern.Fault) -> TextPatternNode {
        var nodes: [TextPatternNode] = []
        while let next = rest.first, next != "|", next != ")" { nodes.append(try repetition()) }
        return .sequence(nodes)
    }

    // MARK: Repetitions

    private mutating func repetition() throws(TextPattern.Fault) -> TextPatternNode {
        let node = try atom()
        guard let (least, most) = try bounds() else { return node }
        // How much is taken does not matter to whether it fits.
        if language == .ecma { _ = takes("?") }
        return .repetition(node, least, most)
    }

    private mutating func bounds() throws(TextPattern.Fault) -> (Int, Int?)? {
        if takes("?") { return (0, 1) }
        if takes("*") { return (0, nil) }
        if takes("+") { return (1, nil) }
        let before = rest
        guard takes("{") else { return nil }
        guard let least = try number() else {
            try require(language == .ecma)
            rest = before
            return nil
        }
        let most: Int?
        if takes(",") {
            most = try number()
            try require(most != nil || language == .ecma)
        } else {
            most = least
        }
        guard takes("}") else {
            try require(language == .ecma)
            rest = before
            return nil
        }
        try require(least <= most ?? least && (most != 0 || language == .ecma))
        return (least, most)
    }

    private mutating func number() throws(TextPattern.Fault) -> Int? {
        var digits = ""
        while let next = rest.first, ("0"..."9").contains(next) { digits.unicodeScalars.append(try take()) }
        try require(digits.count <= Self.longestNumber, "has too large a repetition")
        return Int(digits)
    }

    // MARK: Atoms

    private mutating func atom() throws(TextPattern.Fault) -> TextPatternNode {
        let scalar = try take()
        switch scalar {
        case "(": return try group()
        case "[": return .scalar(try scalarClass())
        case "\\":
            if language == .ecma, takes("b") { return .edge(.word) }
            if language == .ecma, takes("B") { return .edge(.noWord) }
            return .scalar(try escape(isInClass: false))
        case ".":
            try require(language == .ecma)
            return .scalar(Self.complement(of: Self.lineEnds))
        case "^", "$":
            try require(language == .ecma)
            return .edge(scalar == "^" ? .start : .end)
        case "{", "}", "]": try require(language == .ecma)
        default: try require(!"*+?)|".unicodeScalars.contains(scalar))
        }
        return .scalar([scalar.value...scalar.value])
    }

    private mutating func group() throws(TextPattern.Fault) -> TextPatternNode {
        if language == .ecma, takes("?") {
            if !takes(":") {
                let looks = ["=", "!", "<=", "<!"].contains { rest.starts(with: $0.unicodeScalars) }
                try require(!looks, "looks ahead or behind, which is not supported")
                try require(takes("<"))
                while try take() != ">" {}
            }
        }
        let node = try choice()
        try require(takes(")"))
        return node
    }

    // MARK: Escapes

    private mutating func escape(isInClass: Bool) throws(TextPattern.Fault) -> [ClosedRange<UInt32>] {
        guard language == .ecma else { return Self.single(try ourEscape()) }
        let scalar = try take()
        switch scalar {
        case "d": return Self.digit
        case "D": return Self.complement(of: Self.digit)
        case "w": return Self.word
        case "W": return Self.complement(of: Self.word)
        case "s": return Self.space
        case "S": return Self.complement(of: Self.space)
        case "t": return Self.single(0x09)
        case "n": return Self.single(0x0A)
        case "v": return Self.single(0x0B)
        case "f": return Self.single(0x0C)
        case "r": return Self.single(0x0D)
        case "b" where isInClass: return Self.single(0x08)
        case "0": return Self.single(0)
        case "x": return Self.single(try hexadecimal(2))
        case "u": return Self.single(try codePoint())
        case "c":
            let letter = try take()
            try require(letter.isASCII && letter.properties.isAlphabetic)
            return Self.single(letter.value & 0x1F)
        case "1"..."9", "k": throw TextPattern.Fault(reason: "refers back, which is not supported")
        case "p", "P":
            throw TextPattern.Fault(reason: "asks for properties of Unicode, which is not supported")
        default:
            try require(!(scalar.isASCII && scalar.properties.isAlphabetic), "has an escape that is none")
            return Self.single(scalar.value)
        }
    }

    private mutating func ourEscape() throws(TextPattern.Fault) -> UInt32 {
        let scalar = try take()
        if scalar == "u" { return try hexadecimal(4) }
        try require("^$\\.*+?()[]{}|/".unicodeScalars.contains(scalar))
        return scalar.value
    }

    private mutating func hexadecimal(_ count: Int) throws(TextPattern.Fault) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let digit = try take().hexDigit else {
                throw TextPattern.Fault(reason: "has an escape that is none")
            }
            value = value << 4 | digit
        }
        return value
    }

    private mutating func codePoint() throws(TextPattern.Fault) -> UInt32 {
        if takes("{") {
            var value: UInt32 = 0
            while let digit = rest.first?.hexDigit {
                rest.removeFirst()
                value = value << 4 | digit
                try require(value <= Self.largestScalar, "has an escape that is none")
            }
            try require(takes("}"), "has an escape that is none")
            return value
        }
        let first = try hexadecimal(4)
        guard (0xD800...0xDBFF).contains(first), takes(text: "\\u") else { return first }
        let second = try hexadecimal(4)
        try require((0xDC00...0xDFFF).contains(second), "has half a surrogate pair")
        return 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
    }

    // MARK: Classes

    private mutating func scalarClass() throws(TextPattern.Fault) -> [ClosedRange<UInt32>] {
        let isNegated = takes("^")
        var ranges: [ClosedRange<UInt32>] = []
        while !takes("]") {
            let first = try member()
            // A hyphen before the bracket is one.
            if rest.first == "-", let next = rest.dropFirst().first, next != "]" {
                _ = try take()
                let last = try member()
                guard let low = Self.only(first), let high = Self.only(last) else {
                    try require(language == .ecma)
                    ranges += first + last + Self.single(0x2D)
                    continue
                }
                try require(low <= high, "has a range that ends before it begins")
                ranges.append(low...high)
            } else {
                ranges += first
            }
        }
        try require(!ranges.isEmpty || language == .ecma)
        return isNegated ? Self.complement(of: ranges) : ranges
    }

    private mutating func member() throws(TextPattern.Fault) -> [ClosedRange<UInt32>] {
        let scalar = try take()
        try require(scalar != "[" || language == .ecma)
        return scalar == "\\" ? try escape(isInClass: true) : Self.single(scalar.value)
    }

    private static func only(_ ranges: [ClosedRange<UInt32>]) -> UInt32? {
        ranges.count == 1 && ranges[0].count == 1 ? ranges[0].lowerBound : nil
    }

    private static func single(_ scalar: UInt32) -> [ClosedRange<UInt32>] { [scalar...scalar] }

    private static let digit: [ClosedRange<UInt32>] = [0x30...0x39]
    static let word: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
    private static let lineEnds: [ClosedRange<UInt32>] = [0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029]
    private static let space: [ClosedRange<UInt32>] = [
        0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029,
        0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
    ]

    private static func complement(of ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var rest: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { rest.append(next...range.lowerBound - 1) }
            next = max(next, range.upperBound + 1)
        }
        if next <= largestScalar { rest.append(next...Self.largestScalar) }
        return rest
    }
}

extension Unicode.Scalar {
    fileprivate var hexDigit: UInt32? {
        switch self {
        case "0"..."9": value - 0x30
        case "a"..."f", "A"..."F": (value | 0x20) - 0x57
        default: nil
        }
    }
}
