import Analytics
import Base
import Metering
import Postgres
import Testing

struct OverviewTests {
    @Test func `what an overview charges is what the ledger has been paid, to the nano-dollar`() async throws
    {
        try await AnalyticsWorld.with { world in
            let seed = UInt64.random(in: 0...UInt64(UInt32.max))
            print("seed \(seed)")
            var random = SeededGenerator(seed: seed)
            let events = (0..<500).map { _ in
                world.call(
                    at: moment(day: 3) + .seconds(Int.random(in: 0..<5 * 86_400, using: &random)),
                    cost: .random(in: 0...9_999_999_999, using: &random),
                    commission: .random(in: 0...999_999, using: &random),
                    model: ["a/one", "a/two", "b/three"].randomElement(using: &random) ?? "")
            }
            try await world.book(events)
            let paid = try await world.number(
                """
                SELECT sum(amount_nano)::bigint FROM ledger_transfers WHERE org_id = \(world.organization)
                  AND credit IN ('usage_revenue', 'commission_revenue') AND reason = 'usage'
                """)
            for zone in ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"] {
                for interval in OverviewQuery.Interval.allCases {
                    let overview = try await world.analytics.overview(
                        of: world.organization,
                        OverviewQuery(
                            from: moment(day: 2, 23, 45), to: moment(day: 8, 0, 15), zone: zone,
                            interval: interval,
                            grouping: .model))
                    #expect(overview.totals.charge == paid, "\(zone) \(interval)")
                    #expect(overview.totals.calls == 500)
                    #expect(overview.groups.map(\.totals.charge).reduce(0, +) == paid)
                    #expect(overview.groups.count == 3)
                }
            }
        }
    }

    @Test func `a day is a day of the zone`() async throws {
        try await AnalyticsWorld.with { world in
            // In Berlin the second day begins an hour before, in Kathmandu five and three quarters.
            try await world.book([
                world.call(at: moment(day: 2, 18, 14), cost: 1),
                world.call(at: moment(day: 2, 18, 16), cost: 10),
                world.call(at: moment(day: 2, 23, 1), cost: 100), world.call(at: moment(day: 3), cost: 1000),
            ])
            func days(_ zone: String) async throws -> [Int64] {
                try await world.analytics.overview(
                    of: world.organization,
                    OverviewQuery(from: moment(day: 1), to: moment(day: 5), zone: zone)
                ).points.map(\.totals.cost)
            }
            #expect(try await days("UTC") == [111, 1000])
            #expect(try await days("Europe/Berlin") == [11, 1100])
            #expect(try await days("Asia/Kathmandu") == [1, 1110])
        }
    }

    @Test func `the hour that comes twice is two points`() async throws {
        try await AnalyticsWorld.with { world in
            // On 25 October 2026 Berlin has 02:30 at 00:30 and at 01:30.
            let midnight = moment(day: 1) + .seconds(-7 * 86_400)
            try await world.book([
                world.call(at: midnight + .seconds(1800), cost: 1),
                world.call(at: midnight + .seconds(5400), cost: 10),
            ])
            let overview = try await world.analytics.overview(
                of: world.organization,
                OverviewQuery(
                    from: midnight, to: midnight + .seconds(86_400), zone: "Europe/Berlin", interval: .hour))
            #expect(overview.points.map(\.totals.cost) == [1, 10])
            #expect(overview.points.map(\.start) == [midnight, midnight + .seconds(3600)])
        }
    }

    @Test func `groups are those of key, user, provider, model and tag, the dearest first`() async throws {
        try await AnalyticsWorld.with { world in
            let other = UUID.make()
            try await world.book([
                world.call(at: moment(day: 2), cost: 5, model: "a/cheap") {
                    $0.tags = Array(#"{"team":"search"}"#.utf8)
                },
                world.call(at: moment(day: 2), cost: 70, model: "a/dear") { $0.user = other },
            ])
            func groups(_ grouping: OverviewQuery.Grouping) async throws -> [String] {
                try await world.analytics.overview(
                    of: world.organization,
                    OverviewQuery(from: moment(day: 1), to: moment(day: 5), grouping: grouping)
                ).groups.map { "\($0.name): \($0.totals.cost)" }
            }
            #expect(try await groups(.model) == ["a/dear: 70", "a/cheap: 5"])
            #expect(try await groups(.provider) == ["openai: 75"])
            #expect(try await groups(.key) == ["\(world.key): 75"])
            #expect(try await groups(.user) == ["\(other): 70", "\(world.user): 5"])
            #expect(try await groups(.tag) == ["team=search: 5"])
        }
    }

    @Test func `the time before is as long, and ends where this begins`() async throws {
        try await AnalyticsWorld.with { world in
            try await world.book([
                world.call(at: moment(day: 7, 23, 59), cost: 1), world.call(at: moment(day: 8), cost: 10),
                world.call(at: moment(day: 9, 23, 59), cost: 100),
                world.call(at: moment(day: 10), cost: 1000),
            ])
            let overview = try await world.analytics.overview(
                of: world.organization,
                OverviewQuery(from: moment(day: 10), to: moment(day: 12), comparesBefore: true))
            #expect(overview.totals.cost == 1000)
            #expect(overview.before?.cost == 110)
        }
    }

    @Test func `nobody sees what another organization has used`() async throws {
        try await AnalyticsWorld.with { world in
            try await world.book([world.call(at: moment(day: 2))])
            let overview = try await world.analytics.overview(
                of: .make(), OverviewQuery(from: moment(day: 1), to: moment(day: 5), grouping: .model))
            #expect(overview.totals == UsageTotals() && overview.groups.isEmpty && overview.points.isEmpty)
        }
    }

    @Test func `the median is about what calls took`() async throws {
        try await AnalyticsWorld.with { world in
            try await world.book(
                (1...100).map { world.call(at: moment(day: 2), latency: .milliseconds($0 * 10)) })
            let latency = try await world.analytics.overview(
                of: world.organization, OverviewQuery(from: moment(day: 1), to: moment(day: 5))
            ).totals.latency
            for (share, expected) in [(0.5, 500_000.0), (0.95, 950_000), (0.99, 990_000)] {
                let found = try #require(latency.quantile(share))
                #expect(abs(found - expected) < expected * 0.1, "\(share): \(found)")
            }
        }
    }
}
