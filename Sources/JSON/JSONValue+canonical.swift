import Glibc

/// The canonical form: two values are equal exactly when their canonical bytes are.
///
/// - No white space.
/// - Members are sorted by the bytes of their unescaped UTF-8 keys, which is the order of their code points.
/// - In strings only `"`, `\` and control characters are escaped, in the shortest way; hexadecimal in lower case.
/// - Numbers are normalised by value without rounding, see `CanonicalNumber`.
extension JSONValue {
    package func canonical() -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(span.count)
        appendCanonical(to: &output)
        return output
    }

    package func appendCanonical(to output: inout [UInt8]) {
        withText { text in
            var canonicalizer = Canonicalizer(text, appendingTo: output)
            output = []
            canonicalizer.append(text.node(at: Int(span.start), container: container))
            output = canonicalizer.output
        }
    }

    /// The same without those members of the object itself that are not kept.
    package func appendCanonical(to output: inout [UInt8], keeping isKept: (JSONMember) -> Bool) {
        guard kind == .object else { return appendCanonical(to: &output) }
        withText { text in
            var canonicalizer = Canonicalizer(text, appendingTo: output)
            output = []
            canonicalizer.appendObject(text.node(at: Int(span.start), container: container)) {
                isKept(JSONMember(storage: storage, member: $0))
            }
            output = canonicalizer.output
        }
    }
}

extension JSONDocument {
    /// The canonical form of the whole document.
    package func canonical() -> [UInt8] { root.canonical() }
}

private struct Canonicalizer {
    private let text: Text
    private(set) var output: [UInt8]
    /// The members of all objects that are being written, innermost last.
    private var members: [Text.Member] = []

    /// Up to here members are sorted by insertion.
    private static let smallObject = 12

    init(_ text: Text, appendingTo output: consuming [UInt8]) {
        self.text = text
        self.output = output
        members.reserveCapacity(32)
    }

    mutating func append(_ node: Text.Node) {
        switch text[node.start] {
        case 0x7B: appendObject(node)
        case 0x5B: appendArray(node)
        case 0x22: appendString(ByteSpan(node.start + 1, node.end - 1))
        case 0x74, 0x66, 0x6E: output.append(contentsOf: text.bytes(node.span))
        default: CanonicalNumber.append(text.bytes(node.span), to: &output)
        }
    }

    private mutating func appendArray(_ node: Text.Node) {
        output.append(0x5B)
        var walk = Walk(inside: node.start, container: node.container)
        var isFirst = true
        while let element = walk.nextElement(text) {
            if !isFirst { output.append(0x2C) }
            isFirst = false
            append(element)
        }
        output.append(0x5D)
    }

    mutating func appendObject(_ node: Text.Node, keeping isKept: (Text.Member) -> Bool = { _ in true }) {
        let first = members.count
        var walk = Walk(inside: node.start, container: node.container)
        while let member = walk.nextMember(text) {
            if isKept(member) { members.append(member) }
        }
        sortMembers(from: first)
        output.append(0x7B)
        for index in first..<members.count {
            if index > first { output.append(0x2C) }
            let member = members[index]
            if member.keyHasEscapes {
                appendString(member.key)
            } else {
                // With both quotes.
                output.append(
                    contentsOf: text.bytes(ByteSpan(Int(member.key.start) &- 1, Int(member.key.end) &+ 1)))
            }
            output.append(0x3A)
            append(member.value)
        }
        members.removeSubrange(first...)
        output.append(0x7D)
    }

    /// Sorts the members from `first` on; most objects are small, and many are in order.
    private mutating func sortMembers(from first: Int) {
        let text = text
        members.withUnsafeMutableBufferPointer { members in
            var sorted = first &+ 1
            while sorted < members.count, Self.isOrdered(members[sorted &- 1], members[sorted], of: text) {
                sorted &+= 1
            }
            if sorted >= members.count { return }
            if members.count &- first > Self.smallObject {
                return members[first...].sort { Self.isOrdered($0, $1, of: text) }
            }
            for index in sorted..<members.count {
                let member = members[index]
                var hole = index
                while hole > first, Self.isOrdered(member, members[hole &- 1], of: text) {
                    members[hole] = members[hole &- 1]
                    hole &-= 1
                }
                members[hole] = member
            }
        }
    }

    private static func isOrdered(_ left: Text.Member, _ right: Text.Member, of text: Text) -> Bool {
        if left.keyHasEscapes || right.keyHasEscapes {
            return unescaped(left, of: text).lexicographicallyPrecedes(unescaped(right, of: text))
        }
        let (first, second) = (text.base + Int(left.key.start), text.base + Int(right.key.start))
        let order = memcmp(first, second, min(left.key.count, right.key.count))
        return order != 0 ? order < 0 : left.key.count < right.key.count
    }

    private static func unescaped(_ member: Text.Member, of text: Text) -> [UInt8] {
        var plain: [UInt8] = []
        Unescape.append(text.bytes(member.key), to: &plain)
        return plain
    }

    /// What stands between two backslashes is canonical as it is, and so are the short escapes.
    private mutating func appendString(_ span: ByteSpan) {
        output.append(0x22)
        let end = Int(span.end)
        var copied = Int(span.start)
        var offset = copied
        while true {
            offset = Unescape.firstBackslash(text.base, from: offset, to: end)
            if offset >= end { break }
            let letter = text[offset &+ 1]
            if letter != 0x75, letter != 0x2F {
                offset &+= 2
                continue
            }
            output.append(contentsOf: text.bytes(ByteSpan(copied, offset)))
            let (scalar, next) = Unescape.escape(text.base, at: offset)
            (copied, offset) = (next, next)
            if scalar < 0x80 {
                Escape.append(UInt8(truncatingIfNeeded: scalar), to: &output)
            } else {
                Unescape.append(scalar, to: &output)
            }
        }
        output.append(contentsOf: text.bytes(ByteSpan(copied, end)))
        output.append(0x22)
    }
}
