import Analytics
import Base
import Metering
import Postgres
import Testing

struct MonthTests {
    @Test func `a month is one of the organization's time zone`() async throws {
        try await AnalyticsWorld.with { world in
            // In Berlin, December begins an hour before; in Kathmandu, five and three quarters.
            let december = moment(day: 31)
            try await world.book([
                world.call(at: december + .seconds(-6 * 3600), cost: 1),
                world.call(at: december + .seconds(-5 * 3600), cost: 10),
                world.call(at: december + .seconds(-1800), cost: 100), world.call(at: december, cost: 1000),
            ])
            func months(_ zone: String) async throws -> [Int64] {
                _ = try await world.owner.query(
                    "UPDATE organizations SET time_zone = \(zone) WHERE id = \(world.organization)")
                let found = try await world.analytics.months(
                    of: world.organization, until: december + .seconds(86_400), count: 2)
                #expect(found.zone == zone && found.months.map(\.name) == ["2026-12", "2026-11"])
                return found.months.map(\.totals.cost)
            }
            #expect(try await months("UTC") == [1000, 111])
            #expect(try await months("Europe/Berlin") == [1100, 11])
            #expect(try await months("Asia/Kathmandu") == [1110, 1])
        }
    }

    @Test func `a user's month is theirs alone`() async throws {
        try await AnalyticsWorld.with { world in
            let other = UUID.make()
            try await world.book([
                world.call(at: moment(day: 2), cost: 1),
                world.call(at: moment(day: 2), cost: 10) { $0.user = other },
            ])
            let found = try await world.analytics.months(
                of: world.organization, by: other, until: moment(day: 3))
            #expect(found.months.map(\.totals.cost) == [10])
            #expect(try await world.analytics.knows(other, in: world.organization))
            #expect(try await !world.analytics.knows(.make(), in: world.organization))
        }
    }
}
