package import Base

/// When keys were used that the database has not been told of yet.
package final class KeyUses: Sendable {
    private let capacity: Int
    private let times: Locked<[UUID: Timestamp]>

    /// What does not fit is dropped: a key in use is noted again soon.
    package init(capacity: Int = 50_000) {
        self.capacity = capacity
        times = Locked([:])
    }

    package var count: Int { times.withLock { $0.count } }

    package func note(_ key: UUID, at time: Timestamp) {
        times.withLock { times in
            guard times.count < capacity || times[key] != nil else { return }
            times[key] = time
        }
    }

    func take() -> [UUID: Timestamp] {
        times.withLock { times in
            defer { times = [:] }
            return times
        }
    }

    /// What could not be written.
    func putBack(_ uses: some Sequence<(key: UUID, time: Timestamp)>) {
        times.withLock { times in
            for (key, time) in uses where times[key] == nil && times.count < capacity { times[key] = time }
        }
    }
}
