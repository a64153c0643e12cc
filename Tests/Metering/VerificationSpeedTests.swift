import Base
import Glibc
import Loop
import Postgres
import TestKit
import Testing

@testable import Metering

/// How long it takes to recompute the books. Only with `FULL=1`.
struct VerificationSpeedTests {
    private static let isWanted = getenv("FULL") != nil
    private static let keys = (0..<50).map { _ in UUID.make() }
    private static let users = (0..<10).map { _ in UUID.make() }

    @Test(.enabled(if: isWanted))
    func `a million events are recomputed, and found to be whole`() async throws {
        try await MeteringWorld.with { world in
            let count = setting("CALLS") ?? 1_000_000
            let limit = try await world.makeLimit(1_000_000 * dollar, granted: 1_000_000 * dollar)
            let now = Timestamp.now()
            let filling = Instant.now()
            for start in stride(from: 0, to: count, by: UsageDrain.batch) {
                let entries = (start..<min(count, start + UsageDrain.batch)).map { place in
                    // Over a week, in the order of time.
                    let moment = now + .milliseconds(604_800_000 * (place - count) / count)
                    return JournalEntry(
                        world.call(cost: Int64(place % 1000), commission: 3, paidBy: [limit], at: moment) {
                            event in
                            event.key = Self.keys[place % 50]
                            event.user = Self.users[place % 10]
                            event.attempts[0].model = "model-\(place % 20)"
                            event.attempts[0].latency = .milliseconds(200 + place * 7919 % 3000)
                            event.tags = place % 4 == 0 ? Array(#"{"team":"search"}"#.utf8) : nil
                        })
                }
                try await world.store.store(entries)
            }
            print("\(count) events booked in \(Instant.now() - filling)")
            _ = try await world.owner.query("ANALYZE", timeout: .seconds(600))
            let start = Instant.now()
            var last = start
            try await BookVerification(world.pool).run { check in
                print("\(Instant.now() - last) \(check.name)")
                last = .now()
                #expect(check.difference == nil, "\(check.name)")
            }
            print("verified in \(Instant.now() - start)")
        }
    }
}
