/// The models that a key may use. They are few, so they lie one behind the other in one piece of memory: a process
/// keeps many keys, and looks through the names of one in less time than a hash takes.
package struct AllowedModels: Hashable, Sendable, ExpressibleByArrayLiteral {
    /// Each name and a zero byte, which no name in the database can hold; in order, so that equal sets are equal.
    private let names: [UInt8]

    package init(_ models: some Sequence<String>) {
        var names: [UInt8] = []
        for model in Set(models).sorted() where !model.utf8.contains(0) {
            names.append(contentsOf: model.utf8)
            names.append(0)
        }
        self.names = names
    }

    package init(arrayLiteral models: String...) { self.init(models) }

    package func contains(_ model: String) -> Bool {
        var rest = names[...]
        while let end = rest.firstIndex(of: 0) {
            if rest[..<end].elementsEqual(model.utf8) { return true }
            rest = rest[(end + 1)...]
        }
        return false
    }
}
