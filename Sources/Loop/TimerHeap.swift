import Base

/// Names one scheduled timer. A token outlives its timer harmlessly: cancelling it again does nothing.
package struct TimerToken: Hashable, Sendable {
    fileprivate let slot: Int32
    fileprivate let generation: UInt32
}

/// Timers by deadline: a binary heap whose entries know their place, so that cancelling removes at once and
/// nothing that was cancelled is kept alive.
struct TimerHeap {
    typealias Work = () -> Void

    private struct Entry {
        var deadline: Instant
        /// Timers with the same deadline fire in the order in which they were set.
        var sequence: UInt64
        var slot: Int32
    }

    private struct Slot {
        var generation: UInt32 = 0
        var position: Int32 = -1
        var work: Work?
    }

    private var heap: [Entry] = []
    private var slots: [Slot] = []
    private var freeSlots: [Int32] = []
    private var nextSequence: UInt64 = 0

    var count: Int { heap.count }
    var earliest: Instant { heap.first?.deadline ?? .never }

    mutating func schedule(at deadline: Instant, _ work: @escaping Work) -> TimerToken {
        let slot: Int32
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = Int32(slots.count)
            slots.append(Slot())
        }
        slots[Int(slot)].work = work
        heap.append(Entry(deadline: deadline, sequence: nextSequence, slot: slot))
        nextSequence += 1
        slots[Int(slot)].position = Int32(heap.count - 1)
        siftUp(heap.count - 1)
        return TimerToken(slot: slot, generation: slots[Int(slot)].generation)
    }

    /// Says whether the timer was still waiting.
    @discardableResult
    mutating func cancel(_ token: TimerToken) -> Bool {
        let slot = Int(token.slot)
        guard slot < slots.count, slots[slot].generation == token.generation, slots[slot].position >= 0 else {
            return false
        }
        _ = remove(at: Int(slots[slot].position))
        return true
    }

    /// The work of the earliest timer that is due at `now`.
    mutating func popDue(at now: Instant) -> Work? {
        guard let first = heap.first, first.deadline <= now else { return nil }
        return remove(at: 0)
    }

    private mutating func remove(at position: Int) -> Work? {
        let slot = Int(heap[position].slot)
        let work = slots[slot].work
        slots[slot].work = nil
        slots[slot].position = -1
        slots[slot].generation &+= 1
        freeSlots.append(Int32(slot))
        let last = heap.removeLast()
        if position < heap.count {
            place(last, at: position)
            siftUp(position)
            siftDown(Int(slots[Int(last.slot)].position))
        }
        return work
    }

    private mutating func place(_ entry: Entry, at position: Int) {
        heap[position] = entry
        slots[Int(entry.slot)].position = Int32(position)
    }

    private func isEarlier(_ left: Entry, _ right: Entry) -> Bool {
        left.deadline != right.deadline ? left.deadline < right.deadline : left.sequence < right.sequence
    }

    private mutating func siftUp(_ start: Int) {
        var position = start
        let entry = heap[position]
        while position > 0 {
            let parent = (position - 1) / 2
            guard isEarlier(entry, heap[parent]) else { break }
            place(heap[parent], at: position)
            position = parent
        }
        place(entry, at: position)
    }

    private mutating func siftDown(_ start: Int) {
        var position = start
        let entry = heap[position]
        while true {
            var child = 2 * position + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, isEarlier(heap[child + 1], heap[child]) { child += 1 }
            guard isEarlier(heap[child], entry) else { break }
            place(heap[child], at: position)
            position = child
        }
        place(entry, at: position)
    }
}
