import Base
import Loop
import Postgres
import TestKit
import Testing

@testable import Metering

/// How fast usage comes into the books, beside what each call would take by itself.
struct DrainSpeedTests {
    @Test func `usage comes into the books by the thousand`() async throws {
        try await MeteringWorld.with { world in
            let count = setting("CALLS") ?? 20_000
            let limits = [try await world.makeLimit(1000 * dollar, granted: 1000 * dollar)]
            let models = (0..<20).map { "model-\($0)" }
            let keys = (0..<50).map { _ in UUID.make() }
            let entries = (0..<count).map { place in
                JournalEntry(
                    world.call(cost: Int64(place % 1000), commission: 3, paidBy: limits) { event in
                        event.key = keys[place % keys.count]
                        event.attempts[0].model = models[place % models.count]
                    })
            }
            var rate: Double = 0
            let started = Instant.now()
            for start in stride(from: 0, to: count, by: UsageDrain.batch) {
                try await world.store.store(Array(entries[start..<min(count, start + UsageDrain.batch)]))
            }
            rate = Double(count) / (Instant.now() - started).seconds
            let single = Instant.now()
            let few = (0..<200).map { _ in JournalEntry(world.call(cost: 1, paidBy: limits)) }
            for entry in few { try await world.store.store([entry]) }
            let singleRate = 200 / (Instant.now() - single).seconds
            print("\(Int(rate)) calls/s in batches, \(Int(singleRate)) one at a time: \(rate / singleRate)x")
            #expect(try await world.number("SELECT count(*) FROM usage_events") == Int64(count + 200))
        }
    }
}

extension Duration {
    fileprivate var seconds: Double { Double(nanoseconds) / 1e9 }
}
