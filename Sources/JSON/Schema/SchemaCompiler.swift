/// Reads a schema into nodes. Each schema within is read once, however often it is referred to; nothing recurses.
struct SchemaCompiler {
    private(set) var nodes: [JSONSchemaNode] = []
    private(set) var faults: [JSONSchema.Fault] = []
    private let whole: JSONValue
    /// Where the node of a schema is, by where the schema begins in its document.
    private var places: [Int: Int] = [:]
    private var waiting: [(schema: JSONValue, node: Int, pointer: String)] = []

    init(_ schema: JSONValue) { whole = schema }

    mutating func compile() -> Int {
        let root = node(of: whole, at: "")
        var next = 0
        while next < waiting.count, faults.count < JSONSchema.largestFaultCount {
            let (schema, place, pointer) = waiting[next]
            read(schema, into: nodes[place], at: pointer)
            next += 1
        }
        return root
    }

    mutating func fault(_ pointer: String, _ message: String) {
        if faults.count < JSONSchema.largestFaultCount { faults.append(.init(pointer, message)) }
    }

    /// The place of the node of `schema`, which is read later.
    mutating func node(of schema: JSONValue, at pointer: String) -> Int {
        if let known = places[schema.range.lowerBound] { return known }
        let place = nodes.count
        guard place < JSONSchema.largestNodeCount else {
            if place == JSONSchema.largestNodeCount {
                fault(pointer, "is one schema more than the \(JSONSchema.largestNodeCount) that are read")
            }
            return 0
        }
        nodes.append(JSONSchemaNode())
        places[schema.range.lowerBound] = place
        waiting.append((schema, place, pointer))
        return place
    }

    private mutating func read(_ schema: JSONValue, into node: JSONSchemaNode, at pointer: String) {
        switch schema.kind {
        case .bool: node.isNever = schema.bool == false
        case .object:
            for member in schema.members {
                let keyword = member.key.string
                var inner = pointer
                appendPointer(keyword, to: &inner)
                readKeyword(keyword, member.value, into: node, at: inner)
            }
            // Branches without a condition say nothing.
            if node.condition == nil { (node.consequence, node.alternative) = (nil, nil) }
            node.canonicalChoices = node.choices.map { Set($0.map { $0.canonical() }) }
        default: fault(pointer, "must be an object, or true or false")
        }
    }

    // MARK: References

    /// The node that `#`, or `#/$defs/…`, refers to.
    mutating func target(of reference: String, at pointer: String) -> Int? {
        guard reference.hasPrefix("#") else {
            fault(pointer, "must begin with \"#\": other documents are not read")
            return nil
        }
        let path = reference.dropFirst()
        if path.isEmpty { return node(of: whole, at: "") }
        guard path.hasPrefix("/") else {
            fault(pointer, "must be a JSON pointer such as \"#/$defs/name\": anchors are not supported")
            return nil
        }
        var found = whole
        var place = ""
        for step in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            let key = Self.unescaped(step)
            let next = found.kind == .array ? Int(key).flatMap { found.element($0) } : found.member(key)
            guard let next else {
                fault(pointer, "leads to nothing")
                return nil
            }
            found = next
            appendPointer(key, to: &place)
        }
        return node(of: found, at: place)
    }

    /// Percent-encoding first, and then `~1` before `~0` (RFC 6901).
    private static func unescaped(_ step: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(step.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == 0x25, rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest.removeFirst(2)
            } else if byte == 0x7E, rest.first == 0x30 || rest.first == 0x31 {
                bytes.append(rest.removeFirst() == 0x30 ? 0x7E : 0x2F)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Nesting

    /// Schemas about one and the same value must come to an end.
    mutating func checkNesting() {
        /// How deep it is under a node; nil while that is being found out.
        var depths = [Int?](repeating: nil, count: nodes.count)
        var isOpen = [Bool](repeating: false, count: nodes.count)
        for start in nodes.indices where depths[start] == nil {
            var path = [(node: start, rest: nodes[start].nested[...])]
            isOpen[start] = true
            while let (node, _) = path.last {
                guard let next = path[path.count - 1].rest.popFirst() else {
                    path.removeLast()
                    isOpen[node] = false
                    let depth = (nodes[node].nested.lazy.compactMap { depths[$0] }.max() ?? 0) + 1
                    depths[node] = depth
                    if depth > JSONSchema.deepestNesting {
                        return fault("", "nests more than \(JSONSchema.deepestNesting) schemas for one value")
                    }
                    continue
                }
                if isOpen[next] { return fault("", "refers to itself without end") }
                if depths[next] == nil {
                    isOpen[next] = true
                    path.append((next, nodes[next].nested[...]))
                }
            }
        }
    }
}
