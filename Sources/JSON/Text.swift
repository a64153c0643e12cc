import Glibc

/// The text of a validated document, for the time of one closure. Steps over values without checking them again.
struct Text {
    let base: UnsafePointer<UInt8>
    let count: Int
    let containers: UnsafeBufferPointer<Container>

    init(bytes: UnsafeBufferPointer<UInt8>, containers: UnsafeBufferPointer<Container>) {
        // A validated document is never empty.
        base = bytes.baseAddress!
        count = bytes.count
        self.containers = containers
    }

    /// A value: where it is, and the index of its container, or of the next one if the value is a scalar.
    struct Node {
        var span: ByteSpan
        var container: UInt32
        /// The index of the first container after the value.
        var next: UInt32

        var start: Int { Int(span.start) }
        var end: Int { Int(span.end) }
    }

    struct Member {
        /// Between the quotes.
        var key: ByteSpan
        var keyHasEscapes: Bool
        var value: Node

        /// The offset of the key's opening quote.
        var start: Int { Int(key.start) - 1 }
    }

    subscript(_ offset: Int) -> UInt8 { @inline(__always) get { base[offset] } }

    func bytes(_ span: ByteSpan) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: base + Int(span.start), count: span.count)
    }

    @inline(__always)
    func skipWhitespace(_ start: Int) -> Int {
        var offset = start
        while offset < count, Scan.isWhitespace(base[offset]) { offset &+= 1 }
        return offset
    }

    /// The value that starts at `start`; `container` is the index of the first container from there on.
    @inline(__always)
    func node(at start: Int, container: UInt32) -> Node {
        switch base[start] {
        case 0x7B, 0x5B:
            let entry = containers[Int(container)]
            return Node(span: ByteSpan(start, Int(entry.end)), container: container, next: entry.next)
        case 0x22:
            let (end, _) = string(at: start)
            return Node(span: ByteSpan(start, end), container: container, next: container)
        default:
            return Node(span: ByteSpan(start, scalarEnd(start)), container: container, next: container)
        }
    }

    /// The offset after the closing quote of the string at `start`, and whether it holds an escape.
    @inline(__always)
    func string(at start: Int) -> (end: Int, hasEscapes: Bool) {
        var offset = start &+ 1
        var hasEscapes = false
        while true {
            offset = Scan.firstSpecial(base, from: offset, to: count, nonASCII: false)
            if offset >= count || base[offset] == 0x22 { return (offset &+ 1, hasEscapes) }
            hasEscapes = true
            offset &+= 2
        }
    }

    /// The end of the number or literal at `start`.
    private func scalarEnd(_ start: Int) -> Int {
        var offset = start &+ 1
        while offset < count {
            let byte = base[offset]
            if byte == 0x2C || byte == 0x7D || byte == 0x5D || Scan.isWhitespace(byte) { break }
            offset &+= 1
        }
        return offset
    }
}

/// Walks over the members of an object or the elements of an array.
struct Walk {
    /// The offset after the last value, or after the opening bracket.
    var position: Int
    /// The index of the first container from here on.
    var container: UInt32

    init(inside start: Int, container: UInt32) {
        position = start + 1
        self.container = container + 1
    }

    @inline(__always)
    mutating func nextElement(_ text: Text) -> Text.Node? {
        guard let start = nextStart(text) else { return nil }
        let node = text.node(at: start, container: container)
        (position, container) = (node.end, node.next)
        return node
    }

    @inline(__always)
    mutating func nextMember(_ text: Text) -> Text.Member? {
        guard let start = nextStart(text) else { return nil }
        let (keyEnd, hasEscapes) = text.string(at: start)
        let colon = text.skipWhitespace(keyEnd)
        let node = text.node(at: text.skipWhitespace(colon &+ 1), container: container)
        (position, container) = (node.end, node.next)
        return Text.Member(key: ByteSpan(start &+ 1, keyEnd &- 1), keyHasEscapes: hasEscapes, value: node)
    }

    /// Where the next member or element starts.
    @inline(__always)
    private func nextStart(_ text: Text) -> Int? {
        var offset = text.skipWhitespace(position)
        if text[offset] == 0x2C { offset = text.skipWhitespace(offset &+ 1) }
        let byte = text[offset]
        return byte == 0x7D || byte == 0x5D ? nil : offset
    }
}
