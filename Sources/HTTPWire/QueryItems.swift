/// The parameters of a query, decoded, in their order.
package struct QueryItems: Equatable, Sendable {
    package struct Item: Equatable, Sendable {
        package var name: String
        package var value: String
    }

    package enum Fault: Error, Equatable, Sendable {
        /// A `%` that encodes nothing, a NUL, or no UTF-8.
        case malformed
        case tooMany
    }

    /// Beyond it the query is refused.
    package static let limit = 100

    package private(set) var items: [Item] = []

    package init() {}

    /// Reads `name=value&…`; `+` is a space, a name without `=` has an empty value, empty pieces are left
    /// out.
    package init(_ query: ArraySlice<UInt8>) throws(Fault) {
        for piece in query.split(separator: 0x26) {
            if items.count == Self.limit { throw .tooMany }
            let equals = piece.firstIndex(of: ASCII.equals) ?? piece.endIndex
            let value = equals < piece.endIndex ? piece[(equals + 1)...] : []
            guard let name = PercentCoding.decode(piece[..<equals], plusIsSpace: true),
                let value = PercentCoding.decode(value, plusIsSpace: true)
            else { throw .malformed }
            items.append(Item(name: name, value: value))
        }
    }

    /// The value of the first parameter called `name`.
    package subscript(_ name: String) -> String? { items.first { $0.name == name }?.value }

    package func values(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }
}

extension RequestHead {
    package func queryItems() throws(QueryItems.Fault) -> QueryItems {
        guard let query else { return QueryItems() }
        return try QueryItems(query)
    }
}
