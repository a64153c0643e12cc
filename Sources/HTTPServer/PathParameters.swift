/// The named parts of a path, decoded.
package struct PathParameters: Equatable, Sendable {
    private var entries: [Entry] = []

    private struct Entry: Equatable, Sendable {
        var name: String
        var value: String
    }

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }

    /// The value of `{name}`; `nil` where the pattern has no such part.
    package subscript(_ name: String) -> String? { entries.first { $0.name == name }?.value }

    mutating func append(_ name: String, _ value: String) { entries.append(Entry(name: name, value: value)) }
}
