/// What a key may be used for, in one byte: a process keeps many.
package struct KeyScopes: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let inference = KeyScopes(rawValue: 1)
    package static let read = KeyScopes(rawValue: 2)
    package static let admin = KeyScopes(rawValue: 4)

    private static let table: [(name: String, scope: KeyScopes)] = [
        ("inference", .inference), ("read", .read), ("admin", .admin),
    ]

    /// As the database and clients name them. A name that means nothing here allows nothing.
    package init(names: some Sequence<String>) {
        self = names.reduce(into: []) { scopes, name in
            if let scope = Self.scope(named: name) { scopes.formUnion(scope) }
        }
    }

    package static let allNames = table.map(\.name)

    package var names: Set<String> { Set(Self.table.filter { contains($0.scope) }.map(\.name)) }

    package static func scope(named name: String) -> KeyScopes? {
        table.first { $0.name == name }?.scope
    }
}
