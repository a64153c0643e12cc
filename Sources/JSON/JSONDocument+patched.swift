extension JSONDocument {
    /// The text with `edits` made to it and everything else as it was written.
    package func patched(_ edits: [JSONEdit]) throws(JSONEditError) -> [UInt8] {
        if edits.isEmpty { return bytes }
        let root = storage.root
        let result = storage.withText { text -> Result<[UInt8], JSONEditError> in
            var patch = Patch(text)
            do throws(JSONEditError) {
                try patch.visit(text.node(at: Int(root.start), container: 0), edits, depth: 0)
                return .success(patch.output())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

/// Finds where edits touch a text. The walk goes forward only, so the splices are in order.
private struct Patch {
    private let text: Text
    private var splices: [Splice] = []

    private struct Splice {
        var range: Range<Int>
        var replacement: [UInt8]
    }

    init(_ text: Text) { self.text = text }

    func output() -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(splices.reduce(text.count) { $0 + $1.replacement.count })
        var copied = 0
        for splice in splices {
            copy(copied..<splice.range.lowerBound, to: &output)
            output.append(contentsOf: splice.replacement)
            copied = splice.range.upperBound
        }
        copy(copied..<text.count, to: &output)
        return output
    }

    private func copy(_ range: Range<Int>, to output: inout [UInt8]) {
        output.append(contentsOf: text.bytes(ByteSpan(range.lowerBound, range.upperBound)))
    }

    /// Makes the edits whose paths begin with the `depth` steps that lead to `node`.
    mutating func visit(_ node: Text.Node, _ edits: [JSONEdit], depth: Int) throws(JSONEditError) {
        for edit in edits where edit.path.count == depth {
            switch edit.change {
            case .set(let raw), .replace(let raw):
                guard edits.count == 1 else { throw .conflict(edit.path) }
                splices.append(Splice(range: node.start..<node.end, replacement: raw))
                return
            case .append, .prepend:
                guard text[node.start] == 0x5B else { throw .noSuchPlace(edit.path) }
            case .remove: break
            }
        }
        switch text[node.start] {
        case 0x7B: try visitObject(node, edits, depth: depth)
        case 0x5B: try visitArray(node, edits, depth: depth)
        default: try miss(edits)
        }
    }

    private mutating func visitObject(_ node: Text.Node, _ edits: [JSONEdit], depth: Int)
        throws(JSONEditError)
    {
        var children = Children(start: node.start + 1)
        var rest = edits
        var walk = Walk(inside: node.start, container: node.container)
        while let member = walk.nextMember(text) {
            var matching: [JSONEdit] = []
            while let index = rest.firstIndex(where: { isKey($0.path[depth], member) }) {
                matching.append(rest.remove(at: index))
            }
            try visitChild(member.value, from: member.start, matching, depth: depth + 1, of: &children)
        }
        flush(&children)
        var replacement: [UInt8] = []
        var added: [JSONPathStep] = []
        for edit in rest {
            guard edit.path.count == depth + 1, case .set(let raw) = edit.change,
                case .key(let key) = edit.path[depth]
            else {
                try miss([edit])
                continue
            }
            if added.contains(edit.path[depth]) { throw .conflict(edit.path) }
            added.append(edit.path[depth])
            if children.kept > 0 || !replacement.isEmpty { replacement.append(0x2C) }
            replacement.append(0x22)
            Array(key.utf8).withUnsafeBufferPointer { Escape.append($0, to: &replacement) }
            replacement.append(contentsOf: [0x22, 0x3A])
            replacement.append(contentsOf: raw)
        }
        insert(replacement, at: children.end)
    }

    private mutating func visitArray(_ node: Text.Node, _ edits: [JSONEdit], depth: Int) throws(JSONEditError)
    {
        let front = splices.count
        var children = Children(start: node.start + 1)
        var rest = edits.filter { $0.path.count > depth }
        var walk = Walk(inside: node.start, container: node.container)
        var index = 0
        while let element = walk.nextElement(text) {
            let matching = rest.filter { $0.path[depth] == .index(index) }
            if !matching.isEmpty { rest.removeAll { $0.path[depth] == .index(index) } }
            try visitChild(element, from: element.start, matching, depth: depth + 1, of: &children)
            index += 1
        }
        flush(&children)
        try miss(rest)
        var before: [UInt8] = []
        var after: [UInt8] = []
        for edit in edits where edit.path.count == depth {
            if case .prepend(let raw) = edit.change {
                if !before.isEmpty { before.append(0x2C) }
                before.append(contentsOf: raw)
            } else if case .append(let raw) = edit.change {
                if !after.isEmpty { after.append(0x2C) }
                after.append(contentsOf: raw)
            }
        }
        if !after.isEmpty, children.kept > 0 || !before.isEmpty { after.insert(0x2C, at: 0) }
        insert(after, at: children.end)
        if !before.isEmpty {
            if children.kept > 0 { before.append(0x2C) }
            splices.insert(Splice(range: node.start + 1..<node.start + 1, replacement: before), at: front)
        }
    }

    private mutating func insert(_ replacement: [UInt8], at offset: Int) {
        if !replacement.isEmpty { splices.append(Splice(range: offset..<offset, replacement: replacement)) }
    }

    private func isKey(_ step: JSONPathStep, _ member: Text.Member) -> Bool {
        guard case .key(var key) = step else { return false }
        return key.withUTF8 {
            JSONString.isEqual(text.bytes(member.key), $0, hasEscapes: member.keyHasEscapes)
        }
    }

    /// Edits that lead nowhere: those that add something need their place, the others are content.
    private func miss(_ edits: [JSONEdit]) throws(JSONEditError) {
        for edit in edits {
            switch edit.change {
            case .set, .append, .prepend: throw .noSuchPlace(edit.path)
            case .replace, .remove: break
            }
        }
    }
}

// MARK: - Removal
extension Patch {
    /// What became of the members or elements walked over so far.
    struct Children {
        /// Where the last one ends, or just after the opening bracket.
        var end: Int
        var kept = 0
        /// Where the removed ones start that come before all kept ones.
        var removedFront: Int?

        init(start: Int) { end = start }
    }

    /// `start` is where the member or element starts, `node` its value.
    private mutating func visitChild(
        _ node: Text.Node, from start: Int, _ edits: [JSONEdit], depth: Int, of children: inout Children
    ) throws(JSONEditError) {
        let isRemoved = edits.contains { edit in
            if case .remove = edit.change { edit.path.count == depth } else { false }
        }
        if isRemoved {
            guard edits.count == 1 else { throw .conflict(edits[0].path) }
            if children.kept > 0 {
                splices.append(Splice(range: children.end..<node.end, replacement: []))
            } else {
                children.removedFront = children.removedFront ?? start
            }
        } else {
            if let front = children.removedFront {
                splices.append(Splice(range: front..<start, replacement: []))
                children.removedFront = nil
            }
            children.kept += 1
            if !edits.isEmpty { try visit(node, edits, depth: depth) }
        }
        children.end = node.end
    }

    private mutating func flush(_ children: inout Children) {
        guard let front = children.removedFront else { return }
        splices.append(Splice(range: front..<children.end, replacement: []))
        children.removedFront = nil
    }
}
