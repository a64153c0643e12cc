/// The members of an object, found once: to read many of them by their names.
package struct JSONIndex: Sendable {
    private let storage: Storage
    private let members: [Text.Member]

    /// Of what is no object: no members.
    package init(_ value: JSONValue) {
        storage = value.storage
        var members: [Text.Member] = []
        if value.kind == .object {
            members.reserveCapacity(16)
            value.withText { text in
                var walk = Walk(inside: Int(value.span.start), container: value.container)
                while let member = walk.nextMember(text) { members.append(member) }
            }
        }
        self.members = members
    }

    /// The first member of this name.
    package subscript(_ key: StaticString) -> JSONValue? {
        precondition(key.hasPointerRepresentation)
        let key = UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
        return storage.withText { text in
            for member in members
            where JSONString.isEqual(text.bytes(member.key), key, hasEscapes: member.keyHasEscapes) {
                return JSONValue(storage: storage, node: member.value)
            }
            return nil
        }
    }
}
