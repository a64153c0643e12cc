import Base

/// Changes of keys that Redis has not been told of yet.
final class PendingAnnouncements: Sendable {
    private static let capacity = 10_000

    private let generations = Locked<[UUID: Int64]>([:])

    var count: Int { generations.withLock { $0.count } }

    /// Of an organization only the latest change counts. Says whether there was room.
    func add(_ organization: UUID, _ generation: Int64) -> Bool {
        generations.withLock { generations in
            guard generations.count < Self.capacity || generations[organization] != nil else { return false }
            generations[organization] = max(generation, generations[organization] ?? .min)
            return true
        }
    }

    func take() -> [UUID: Int64] {
        generations.withLock { generations in
            defer { generations = [:] }
            return generations
        }
    }
}
