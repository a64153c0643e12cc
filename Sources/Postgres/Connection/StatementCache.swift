/// Which statements a connection has prepared, by text and parameter types. A bounded memory on both sides:
/// what has not been used for longest is forgotten here and deallocated there.
struct StatementCache {
    struct Key: Hashable {
        let text: String
        let types: [UInt32]
    }

    /// How a statement is to be run.
    enum Plan: Equatable {
        /// It is prepared, or will be by the time it runs.
        case use(name: String)
        /// Prepare it under `name` first, after deallocating `evicted`.
        case prepare(name: String, evicted: [String])
        /// Prepare it for this one use.
        case unnamed
    }

    private struct Entry {
        let name: String
        /// The segment that prepares it; `nil` once it has.
        var segment: Int?
        var lastUse: UInt64
    }

    /// Prepared statements a connection keeps.
    let limit: Int
    private var entries: [Key: Entry] = [:]
    /// Names that the server still has and we no longer use: their deallocation failed with the segment
    /// around it.
    private var leftovers: [String] = []
    private var uses: UInt64 = 0
    private var nextName = 0

    init(limit: Int) { self.limit = limit }

    var count: Int { entries.count }

    /// A segment is what lies between two syncs: an error skips the rest of it.
    mutating func plan(_ key: Key, segment: Int) -> Plan {
        uses += 1
        if let index = entries.index(forKey: key) {
            // While another segment prepares it, nobody knows whether that succeeds.
            if let pending = entries.values[index].segment, pending != segment { return .unnamed }
            entries.values[index].lastUse = uses
            return .use(name: entries.values[index].name)
        }
        guard leftovers.count < limit else { return .unnamed }
        var evicted = leftovers
        if entries.count >= limit {
            guard
                let oldest = entries.filter({ $0.value.segment == nil }).min(by: {
                    $0.value.lastUse < $1.value.lastUse
                })
            else { return .unnamed }
            entries[oldest.key] = nil
            evicted.append(oldest.value.name)
        }
        leftovers = []
        nextName += 1
        let name = "h\(nextName)"
        entries[key] = Entry(name: name, segment: segment, lastUse: uses)
        return .prepare(name: name, evicted: evicted)
    }

    mutating func prepared(_ key: Key) { entries[key]?.segment = nil }

    mutating func preparationFailed(_ key: Key) { entries[key] = nil }

    /// The server would not deallocate `name`, but still has it.
    mutating func deallocationFailed(_ name: String) { leftovers.append(name) }

    /// The prepared form no longer fits the schema.
    mutating func forget(_ key: Key, serverHasIt: Bool) {
        guard let entry = entries.removeValue(forKey: key) else { return }
        if serverHasIt { leftovers.append(entry.name) }
    }
}
