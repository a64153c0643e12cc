/// A view of one value inside a document. Reading a value as something it is not gives nil.
package struct JSONValue: Sendable {
    let storage: Storage
    let span: ByteSpan
    /// The index of this value's container, if it is an object or an array.
    let container: UInt32

    package enum Kind: String, Sendable { case object, array, string, number, bool, null }

    init(storage: Storage, span: ByteSpan, container: UInt32) {
        self.storage = storage
        self.span = span
        self.container = container
    }

    init(storage: Storage, node: Text.Node) {
        self.init(storage: storage, span: node.span, container: node.container)
    }

    package var kind: Kind {
        switch storage.bytes[Int(span.start)] {
        case 0x7B: .object
        case 0x5B: .array
        case 0x22: .string
        case 0x74, 0x66: .bool
        case 0x6E: .null
        default: .number
        }
    }

    /// Where the value is in the document, quotes and brackets included.
    package var range: Range<Int> { Int(span.start)..<Int(span.end) }

    /// The value as it was written.
    package var bytes: ArraySlice<UInt8> { storage.bytes[range] }

    package var isNull: Bool { kind == .null }

    package var bool: Bool? {
        switch storage.bytes[Int(span.start)] {
        case 0x74: true
        case 0x66: false
        default: nil
        }
    }

    func withText<Result>(_ body: (Text) -> Result) -> Result { storage.withText(body) }
}

// MARK: - Strings
extension JSONValue {
    /// The string without quotes and escapes.
    package var string: String? { text?.string }

    /// The string as a view; comparing it with a literal takes no memory.
    package var text: JSONString? {
        guard kind == .string else { return nil }
        return JSONString(
            storage: storage, span: ByteSpan(Int(span.start) + 1, Int(span.end) - 1), hasEscapes: nil)
    }

    /// Whether this is the string `other`. Takes no memory.
    package func stringEquals(_ other: StaticString) -> Bool { text.map { $0 == other } ?? false }
}

// MARK: - Objects and arrays
extension JSONValue {
    /// The member `key`, if this is an object that has one. Looks at one key after the other: to read many members
    /// of an object, walk `members` once.
    package subscript(_ key: StaticString) -> JSONValue? {
        precondition(key.hasPointerRepresentation)
        return member(UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
    }

    /// The member whose name is known only at run time.
    package func member(_ key: String) -> JSONValue? {
        var key = key
        return key.withUTF8 { member($0) }
    }

    private func member(_ key: UnsafeBufferPointer<UInt8>) -> JSONValue? {
        guard kind == .object else { return nil }
        let node = withText { text -> Text.Node? in
            var walk = Walk(inside: Int(span.start), container: container)
            while let member = walk.nextMember(text) {
                if JSONString.isEqual(text.bytes(member.key), key, hasEscapes: member.keyHasEscapes) {
                    return member.value
                }
            }
            return nil
        }
        return node.map { JSONValue(storage: storage, node: $0) }
    }

    /// The members in their order; none if this is not an object.
    package var members: JSONMembers { JSONMembers(self) }

    /// The elements in their order; none if this is not an array.
    package var elements: JSONElements { JSONElements(self) }

    /// The number of members or elements; walks over them.
    package var count: Int {
        switch kind {
        case .object: members.reduce(0) { count, _ in count + 1 }
        case .array: elements.reduce(0) { count, _ in count + 1 }
        default: 0
        }
    }

    /// The element at `index`, if this is an array that has one. Walks over those before it.
    package func element(_ index: Int) -> JSONValue? {
        var rest = index
        for element in elements {
            if rest == 0 { return element }
            rest -= 1
        }
        return nil
    }
}
