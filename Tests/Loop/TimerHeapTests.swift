import Base
import Testing

@testable import Loop

struct TimerHeapTests {
    @Test func `the heap behaves like a sorted list`() {
        for seed in 0..<200 { compareWithSortedList(seed: seed) }
    }

    private func compareWithSortedList(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var heap = TimerHeap()
        var model: [(deadline: UInt64, sequence: Int, token: TimerToken)] = []
        var fired: [Int] = []
        var sequence = 0
        for _ in 0..<300 {
            switch random.next() % 4 {
            case 0, 1:
                let deadline = random.next() % 50
                let number = sequence
                let token = heap.schedule(at: Instant(nanoseconds: deadline)) { fired.append(number) }
                model.append((deadline, number, token))
                sequence += 1
            case 2 where !model.isEmpty:
                let victim = model.remove(at: Int(random.next() % UInt64(model.count)))
                let outcomes = [heap.cancel(victim.token), heap.cancel(victim.token)]
                #expect(outcomes == [true, false], "seed \(seed)")
            default:
                let now = random.next() % 60
                let due = model.filter { $0.deadline <= now }
                    .sorted { ($0.deadline, $0.sequence) < ($1.deadline, $1.sequence) }
                model.removeAll { $0.deadline <= now }
                fired = []
                while let work = heap.popDue(at: Instant(nanoseconds: now)) { work() }
                #expect(fired == due.map(\.sequence), "seed \(seed)")
            }
            #expect(heap.count == model.count)
            #expect(heap.earliest.nanoseconds == model.map(\.deadline).min() ?? .max)
        }
    }

    @Test func `a cancelled timer keeps nothing alive`() {
        final class Witness {}
        var heap = TimerHeap()
        weak var witness: Witness?
        let token: TimerToken
        do {
            let strong = Witness()
            witness = strong
            token = heap.schedule(at: .never) { _ = strong }
        }
        #expect(witness != nil)
        heap.cancel(token)
        #expect(witness == nil)
    }
}
