/// One member of an object.
package struct JSONMember: Sendable {
    let storage: Storage
    let member: Text.Member

    package var key: JSONString {
        JSONString(storage: storage, span: member.key, hasEscapes: member.keyHasEscapes)
    }

    package var value: JSONValue { JSONValue(storage: storage, node: member.value) }
}

/// The members of an object in their order.
package struct JSONMembers: Sequence, IteratorProtocol, Sendable {
    private let storage: Storage
    private var walk: Walk?

    init(_ value: JSONValue) {
        storage = value.storage
        walk = value.kind == .object ? Walk(inside: Int(value.span.start), container: value.container) : nil
    }

    package mutating func next() -> JSONMember? {
        guard var walk else { return nil }
        let member = storage.withText { walk.nextMember($0) }
        self.walk = member == nil ? nil : walk
        return member.map { JSONMember(storage: storage, member: $0) }
    }
}

/// The elements of an array in their order.
package struct JSONElements: Sequence, IteratorProtocol, Sendable {
    private let storage: Storage
    private var walk: Walk?

    init(_ value: JSONValue) {
        storage = value.storage
        walk = value.kind == .array ? Walk(inside: Int(value.span.start), container: value.container) : nil
    }

    package mutating func next() -> JSONValue? {
        guard var walk else { return nil }
        let node = storage.withText { walk.nextElement($0) }
        self.walk = node == nil ? nil : walk
        return node.map { JSONValue(storage: storage, node: $0) }
    }
}
