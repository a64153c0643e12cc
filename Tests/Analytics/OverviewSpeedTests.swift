import Analytics
import Base
import Glibc
import Postgres
import Testing

/// How long a dashboard takes. Only with `FULL=1`.
struct OverviewSpeedTests {
    private static let isWanted = getenv("FULL") != nil
    private static let calls: Int64 = 1200 * 96 * 90

    @Test(.enabled(if: isWanted))
    func `of ten million requests in 90 days any overview says the same`() async throws {
        try await AnalyticsWorld.with { world in
            try await fill(world)
            let seed = UInt64.random(in: 0...UInt64(UInt32.max))
            print("seed \(seed)")
            var random = SeededGenerator(seed: seed)
            let zones = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York"]
            let groupings: [OverviewQuery.Grouping?] = [nil, .model, .provider, .key, .user]
            let kinds: [(OverviewQuery.Interval, days: Int)] = [
                (.day, 90), (.hour, 90), (.day, 30), (.day, 7), (.hour, 7), (.quarterHour, 7),
                (.quarterHour, 1),
            ]
            var durations: [(Duration, String)] = []
            for round in 0..<200 {
                let (interval, days) = kinds[round % kinds.count]
                let zone = zones[round / kinds.count % zones.count]
                let grouping = groupings.randomElement(using: &random) ?? nil
                let compares = days <= 30 && Bool.random(using: &random)
                // At any quarter hour at which all of it, and the time before, lies in what was used.
                let room = 96 * (90 - days * (compares ? 2 : 1))
                let end = moment(day: 91) + .seconds(-900 * Int.random(in: 0...room, using: &random))
                let query = try OverviewQuery(
                    from: end + .seconds(-86_400 * days), to: end, zone: zone, interval: interval,
                    grouping: grouping, comparesBefore: compares)
                let start = Instant.now()
                let overview = try await world.analytics.overview(of: world.organization, query)
                durations.append(
                    (
                        Instant.now() - start,
                        "\(interval) \(days) \(zone) \(grouping.map { "\($0)" } ?? "") \(compares)"
                    ))
                let expected = Self.calls / 90 * Int64(days)
                #expect(overview.totals.calls == expected)
                #expect(overview.totals.latency.quantile(0.5) != nil)
                #expect(grouping == nil || overview.groups.map(\.totals.calls).reduce(0, +) == expected)
                #expect(overview.before.map { $0.calls == expected } != false)
            }
            durations.sort { $0.0 < $1.0 }
            print("median \(durations[100].0), p95 \(durations[189]), longest \(durations[199])")
            for (duration, query) in durations.suffix(20) { print(duration, query) }
        }
    }

    /// 1,200 requests in each quarter hour: 50 keys, 20 models, 10 users, 4 providers have as many each.
    private func fill(_ world: AnalyticsWorld) async throws {
        try await world.owner.execute("SET statement_timeout = 0")
        // The whole weeks in it begin with its fifth day.
        for (minutes, start, count) in [
            (15, 1, 90 * 96), (60, 1, 90 * 24), (1440, 1, 90), (10_080, 5, 12),
        ] as [(Int32, Int, Int32)] {
            let filling: SQL = """
                INSERT INTO usage_facets
                SELECT \(world.organization), facet, \(minutes)::smallint,
                    \(moment(day: start))::timestamptz + bucket * make_interval(mins => \(minutes)::integer),
                    CASE WHEN facet = 'all' THEN '' ELSE facet || name END, calls,
                    1, calls, 0, calls, calls * 400, calls * 100, calls * 90, 0, calls * 54399, calls * 600,
                    calls * 54999, 0
                FROM generate_series(0, \(count)::integer - 1) AS bucket,
                    (VALUES ('all', 1), ('provider', 4), ('model', 20), ('key', 50), ('user', 10)) AS facets (facet, names),
                    LATERAL generate_series(1, names) AS name,
                    LATERAL (SELECT 1200 * \(minutes)::bigint / 15 / names) AS counts (calls)
                """
            _ = try await world.owner.query(filling, timeout: .seconds(600))
            let slots: SQL = """
                INSERT INTO usage_facet_latencies
                SELECT org_id, facet, minutes, bucket, name, 70 + slot, greatest(1, calls / slots), greatest(1, calls / slots)
                FROM usage_facets, LATERAL (SELECT CASE WHEN calls < 90 THEN 15 WHEN calls < 1000 THEN 25 ELSE 35 END) AS spread (slots),
                    LATERAL generate_series(1, slots) AS slot
                WHERE minutes = \(minutes)::smallint
                """
            _ = try await world.owner.query(slots, timeout: .seconds(600))
        }
        _ = try await world.owner.query("ANALYZE usage_facets, usage_facet_latencies", timeout: .seconds(600))
        print("\(try await world.number("SELECT count(*) FROM usage_facet_latencies")) latencies")
    }
}
