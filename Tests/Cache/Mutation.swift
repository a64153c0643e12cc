import JSON

/// The documents that differ from another in one place: a leaf says something else, a member or an element is gone,
/// there is one more.
struct Mutation {
    struct Variant {
        /// Where it differs: the names and indices on the way.
        let path: [String]
        let what: String
        let document: JSONDocument
    }

    private var edits: [(names: [String], what: String, edit: JSONEdit)] = []

    static func variants(of document: JSONDocument) throws -> [Variant] {
        var mutation = Mutation()
        mutation.visit(document.root, [], [])
        return try mutation.edits.map { edit in
            Variant(
                path: edit.names, what: edit.what,
                document: try JSONDocument(parsing: document.patched([edit.edit])))
        }
    }

    private mutating func visit(_ value: JSONValue, _ path: [JSONPathStep], _ names: [String]) {
        if !path.isEmpty {
            edits.append((names, "gone", .remove(path)))
            if let other = Self.other(value) {
                edits.append((names, "another", .set(path, Array(other.utf8))))
            }
        }
        for member in value.members {
            let name = member.key.string
            visit(member.value, path + [.key(name)], names + [name])
        }
        for (index, element) in value.elements.enumerated() {
            visit(element, path + [.index(index)], names + ["\(index)"])
        }
        if value.kind == .object {
            edits.append((names, "one more", .set(path + [.key("unheard_of")], Array("0".utf8))))
        }
    }

    private static func other(_ value: JSONValue) -> String? {
        switch value.kind {
        case .string: String(decoding: value.bytes.dropLast(), as: UTF8.self) + " \""
        case .number: value.int == 0 ? "1" : "-\(value.number ?? "")".replacing("--", with: "")
        case .bool: value.bool == true ? "false" : "true"
        case .null: "false"
        case .array: "{}"
        case .object: "[]"
        }
    }
}
