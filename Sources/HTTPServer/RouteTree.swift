import HTTPWire

/// The routes by path: a table of the paths without parameters, and a tree of segments for the others.
/// Looking a path up allocates nothing unless it has parameters.
struct RouteTree: Sendable {
    /// What was found for a path.
    typealias Leaf = MethodTable

    private var leaves: [Leaf] = []
    private var nodes: [Node] = [Node()]
    private var staticPaths = StaticPathTable()

    private struct Node: Sendable {
        var literals: [(segment: [UInt8], node: Int)] = []
        var parameter: Int?
        /// The leaf of a pattern that takes all that is left.
        var rest: Int?
        /// The leaf of a pattern that ends here.
        var leaf: Int?
    }

    /// False where the same shape has a route for the method already.
    mutating func insert(_ pattern: RoutePattern, _ method: HTTPMethod, _ route: Int) -> Bool {
        var node = 0
        var names: [String] = []
        var takesRest = false
        for segment in pattern.segments {
            switch segment {
            case .literal(let bytes):
                node = child(of: node, bytes)
            case .parameter(let name):
                names.append(name)
                let next = nodes[node].parameter ?? addNode()
                nodes[node].parameter = next
                node = next
            case .rest(let name):
                names.append(name)
                takesRest = true
            }
        }
        let leaf = (takesRest ? nodes[node].rest : nodes[node].leaf) ?? addLeaf()
        if takesRest { nodes[node].rest = leaf } else { nodes[node].leaf = leaf }
        if let path = pattern.staticPath { staticPaths.insert(path, leaf) }
        return leaves[leaf].insert(method, route, names)
    }

    private mutating func child(of node: Int, _ segment: [UInt8]) -> Int {
        if let known = nodes[node].literals.first(where: { $0.segment == segment }) { return known.node }
        let added = addNode()
        nodes[node].literals.append((segment, added))
        return added
    }

    private mutating func addNode() -> Int {
        nodes.append(Node())
        return nodes.count - 1
    }

    private mutating func addLeaf() -> Int {
        leaves.append(Leaf())
        return leaves.count - 1
    }

    /// The leaf for a path; the ranges of its parameters are appended in order.
    func find(_ path: UnsafeRawBufferPointer, _ parameters: inout [Range<Int>]) -> Leaf? {
        if let leaf = staticPaths.find(path) { return leaves[leaf] }
        guard path.first == 0x2F, let leaf = find(path, from: 1, at: 0, &parameters) else { return nil }
        return leaves[leaf]
    }

    /// Follows the segment at `start`: the literal first, then the parameter, then what takes the rest. The
    /// depth is that of the patterns, however long the path is.
    private func find(
        _ path: UnsafeRawBufferPointer, from start: Int, at node: Int, _ parameters: inout [Range<Int>]
    ) -> Int? {
        var end = start
        while end < path.count, path[end] != 0x2F { end += 1 }
        let segment = UnsafeRawBufferPointer(rebasing: path[start..<end])
        for (literal, child) in nodes[node].literals
        where literal.count == segment.count && literal.elementsEqual(segment) {
            if let leaf = follow(path, after: end, to: child, &parameters) { return leaf }
        }
        if let child = nodes[node].parameter, !segment.isEmpty {
            parameters.append(start..<end)
            if let leaf = follow(path, after: end, to: child, &parameters) { return leaf }
            parameters.removeLast()
        }
        guard let rest = nodes[node].rest, start < path.count else { return nil }
        parameters.append(start..<path.count)
        return rest
    }

    private func follow(
        _ path: UnsafeRawBufferPointer, after end: Int, to node: Int, _ parameters: inout [Range<Int>]
    ) -> Int? {
        end == path.count ? nodes[node].leaf : find(path, from: end + 1, at: node, &parameters)
    }
}

/// The routes of one path by method.
struct MethodTable: Sendable {
    private var indices = [Int](repeating: -1, count: HTTPMethod.allCases.count)
    private var parameterNames: [Int: [String]] = [:]
    private(set) var allow = ""

    subscript(_ method: HTTPMethod) -> Int? {
        let index = indices[Int(method.rawValue)]
        return index < 0 ? nil : index
    }

    func names(of route: Int) -> [String] { parameterNames[route] ?? [] }

    mutating func insert(_ method: HTTPMethod, _ route: Int, _ names: [String]) -> Bool {
        guard self[method] == nil else { return false }
        indices[Int(method.rawValue)] = route
        parameterNames[route] = names
        allow = Self.allow(
            HTTPMethod.allCases.filter {
                self[$0] != nil || $0 == .options || ($0 == .head && self[.get] != nil)
            })
        return true
    }

    static func allow(_ methods: [HTTPMethod]) -> String {
        methods.map(\.description).joined(separator: ", ")
    }
}

/// Leaves by whole path: open addressing, at most half full.
struct StaticPathTable: Sendable {
    private var slots: [Slot?] = [Slot?](repeating: nil, count: 16)
    private var count = 0

    private struct Slot: Sendable {
        var hash: UInt64
        var path: [UInt8]
        var leaf: Int
    }

    mutating func insert(_ path: [UInt8], _ leaf: Int) {
        if count * 2 >= slots.count { grow() }
        place(Slot(hash: path.withUnsafeBytes(Self.hash), path: path, leaf: leaf))
    }

    private mutating func place(_ slot: Slot) {
        var index = Int(truncatingIfNeeded: slot.hash) & (slots.count - 1)
        while let taken = slots[index] {
            if taken.path == slot.path { return }
            index = (index + 1) & (slots.count - 1)
        }
        slots[index] = slot
        count += 1
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot?](repeating: nil, count: old.count * 2)
        count = 0
        for slot in old { if let slot { place(slot) } }
    }

    func find(_ path: UnsafeRawBufferPointer) -> Int? {
        let hash = Self.hash(path)
        return slots.withUnsafeBufferPointer { slots in
            var index = Int(truncatingIfNeeded: hash) & (slots.count - 1)
            while let slot = slots[index] {
                if slot.hash == hash, slot.path.count == path.count, slot.path.elementsEqual(path) {
                    return slot.leaf
                }
                index = (index + 1) & (slots.count - 1)
            }
            return nil
        }
    }

    /// Eight bytes a step. Paths of the table are ours, so a client gains nothing by collisions.
    private static func hash(_ path: UnsafeRawBufferPointer) -> UInt64 {
        var hash = UInt64(path.count) &* 0x9E37_79B9_7F4A_7C15
        var index = 0
        while index + 8 <= path.count {
            hash =
                (hash ^ path.loadUnaligned(fromByteOffset: index, as: UInt64.self)) &* 0xBF58_476D_1CE4_E5B9
            hash ^= hash >> 29
            index += 8
        }
        while index < path.count {
            hash = (hash ^ UInt64(path[index])) &* 0x94D0_49BB_1331_11EB
            index += 1
        }
        return hash ^ (hash >> 32)
    }
}
