package import Base

/// What calls have left that the database has not got yet, of all loops of a process.
package final class UsageQueue: Sendable {
    /// Beyond that calls that are paid for are refused, and what others have used is not written down.
    package static let capacity = 200_000

    struct Pending: Sendable {
        let entry: JournalEntry
        /// Is called when the database has it.
        let done: (@Sendable () -> Void)?
    }

    private let state = Locked<State>(State())

    private struct State {
        var waiting: [Pending] = []
        /// Those that are on their way to the database.
        var underway = 0
        /// When the oldest of them ended; nil: there are none.
        var oldestUnderway: Timestamp?
        var dropped: UInt64 = 0

        mutating func returned(_ count: Int) {
            underway -= count
            if underway == 0 { oldestUnderway = nil }
        }
    }

    package init() {}

    /// - Parameter mustStay: whether money depends on it.
    package func append(
        _ entry: JournalEntry, mustStay: Bool = true, then done: (@Sendable () -> Void)? = nil
    ) {
        let isKept = state.withLock { state in
            guard mustStay || state.waiting.count + state.underway < Self.capacity else {
                state.dropped += 1
                return false
            }
            state.waiting.append(Pending(entry: entry, done: done))
            return true
        }
        if !isKept { done?() }
    }

    /// Whether nothing more may come that has to stay.
    package var isFull: Bool { state.withLock { $0.waiting.count + $0.underway >= Self.capacity } }

    package var count: Int { state.withLock { $0.waiting.count + $0.underway } }

    /// For how long the one has been over that has waited longest; nil: none waits.
    package func lag(at now: Timestamp) -> Duration? {
        let oldest = state.withLock {
            [$0.waiting.first?.entry.at, $0.oldestUnderway].compactMap(\.self).min()
        }
        return oldest.map { .microseconds(max(0, now.microseconds - $0.microseconds)) }
    }

    /// What was not written down, because there was no room.
    package var droppedCount: UInt64 { state.withLock { $0.dropped } }

    /// The oldest, in their order; who takes them gives them back, or says that they are `stored`.
    func take(_ most: Int) -> [Pending] {
        state.withLock { state in
            let taken = Array(state.waiting.prefix(most))
            state.waiting.removeFirst(taken.count)
            state.underway += taken.count
            if let first = taken.first {
                state.oldestUnderway = state.oldestUnderway.map { min($0, first.entry.at) } ?? first.entry.at
            }
            return taken
        }
    }

    func stored(_ taken: [Pending]) {
        state.withLock { $0.returned(taken.count) }
        for one in taken { one.done?() }
    }

    func giveBack(_ taken: [Pending]) {
        state.withLock { state in
            state.returned(taken.count)
            state.waiting.insert(contentsOf: taken, at: 0)
        }
    }
}
