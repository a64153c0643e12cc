import Base
import Budgets
import Postgres
import Testing

/// When windows begin and end, by PostgreSQL's own clocks.
struct BudgetWindowTests {
    /// Around these days clocks change, or a month or a year ends; some of them change at midnight.
    private static let places: [(zone: String, day: String)] = [
        ("UTC", "2028-02-29"), ("UTC", "2026-12-31"), ("America/New_York", "2026-03-08"),
        ("America/New_York", "2026-11-01"), ("Europe/Berlin", "2026-03-29"), ("Europe/Berlin", "2026-10-25"),
        ("Europe/Berlin", "2027-01-01"), ("Australia/Lord_Howe", "2026-04-05"),
        ("Asia/Kathmandu", "2026-07-31"),
        // Midnight is left out.
        ("America/Sao_Paulo", "2018-11-04"), ("Africa/Cairo", "2026-04-24"), ("Asia/Beirut", "2026-03-29"),
        // From midnight back to eleven, and from one o'clock back to midnight, which comes twice.
        ("America/Sao_Paulo", "2018-02-18"), ("America/Havana", "2026-11-01"),
        // A day that there never was.
        ("Pacific/Apia", "2011-12-30"),
        // Behind the wall clock of all others, and before it.
        ("Pacific/Kiritimati", "2026-06-30"), ("Pacific/Pago_Pago", "2026-06-30"),
    ]

    @Test(arguments: ["day", "week", "month"])
    func
        `a window begins when the clocks of the zone first show its first midnight, wherever and whenever that is`(
            _ period: String
        ) async throws
    {
        try await BudgetWorld.run { world in
            for (zone, day) in Self.places {
                let wrong = try await world.owner.query(
                    """
                    WITH grid AS MATERIALIZED (
                        SELECT moment, moment AT TIME ZONE \(zone)::text AS shown
                        FROM generate_series(\(day)::text::timestamptz - interval '40 days',
                            \(day)::text::timestamptz + interval '40 days', interval '15 minutes') AS moments (moment)
                    ), starts AS MATERIALIZED (
                        SELECT first, (SELECT min(moment) FROM grid WHERE shown >= first) AS start
                        FROM (SELECT DISTINCT date_trunc(\(period), shown) AS first FROM grid) AS firsts
                    )
                    SELECT moment::text || ': ' || found.start || ' – ' || found.stop || ', not ' || starts.start
                    FROM grid JOIN starts ON starts.first = date_trunc(\(period), shown),
                        LATERAL budget_window(\(zone), \(period), moment) AS found
                    WHERE moment BETWEEN \(day)::text::timestamptz - interval '3 days'
                            AND \(day)::text::timestamptz + interval '4 days'
                        AND (found.start <> starts.start OR moment < found.start OR moment >= found.stop
                            OR (SELECT start FROM budget_window(\(zone), \(period), found.stop)) <> found.stop)
                    LIMIT 1
                    """
                ).decode(String.self)
                #expect(wrong == [], "\(zone), \(period)s around \(day)")
            }
        }
    }

    @Test func `weeks begin on Monday, and a day may have 23, 25 and any other number of hours`() async throws
    {
        try await BudgetWorld.run { world in
            for (zone, period, moment, expected) in [
                ("UTC", "week", "2026-11-22T23:59:59Z", "Mon 2026-11-16 00:00 + 168"),
                ("UTC", "week", "2026-11-23T00:00:00Z", "Mon 2026-11-23 00:00 + 168"),
                ("Europe/Berlin", "day", "2026-03-29T12:00:00Z", "Sat 2026-03-28 23:00 + 23"),
                ("Europe/Berlin", "day", "2026-10-25T12:00:00Z", "Sat 2026-10-24 22:00 + 25"),
                ("Europe/Berlin", "month", "2026-03-29T12:00:00Z", "Sat 2026-02-28 23:00 + 743"),
                // Between its two midnights it is the new day already.
                ("America/Havana", "day", "2026-11-01T04:30:00Z", "Sun 2026-11-01 04:00 + 25"),
                // From one minute past midnight back to eleven: from the first midnight on it is the new day.
                ("America/St_Johns", "day", "2006-10-29T03:00:00Z", "Sun 2006-10-29 02:30 + 25"),
                ("Nowhere/Lost", "day", "2026-11-23T12:00:00Z", "Mon 2026-11-23 00:00 + 24"),
            ] {
                let found = try await world.owner.query(
                    """
                    SELECT to_char(start AT TIME ZONE 'UTC', 'Dy YYYY-MM-DD HH24:MI') || ' + '
                        || extract(epoch FROM stop - start)::integer / 3600
                    FROM budget_window(\(zone), \(period), \(moment)::text::timestamptz)
                    """
                ).decode(String.self)
                #expect(found == [expected], "\(zone), \(moment)")
            }
        }
    }

    @Test
    func
        `windows follow each other without a gap, also where the organization moves and where nobody was there`()
        async throws
    {
        try await BudgetWorld.run { world in
            try await world.move(world.organization, to: "Europe/Berlin")
            let id = try await world.create(each: .day).standing.budget.id
            let watch = world.watch()
            var random = SeededGenerator(seed: 17)
            for step in 0..<60 {
                if step == 20 { try await world.move(world.organization, to: "Asia/Kathmandu") }
                if step == 40 { try await world.move(world.organization, to: "America/Havana") }
                // At times nobody looks for days.
                world.now =
                    world.now
                    + .seconds(Int64.random(in: 3600...(step % 10 == 9 ? 500_000 : 80_000), using: &random))
                #expect(try await watch.run().isEmpty)
                let now = try #require(try await world.window(id)?.range)
                #expect(now.contains(world.now))
            }
            let overlaps = try await world.number(
                """
                SELECT count(*) FROM money_limits AS one JOIN money_limits AS other ON one.budget_id = other.budget_id
                    AND one.id < other.id AND one.window_start < other.window_end AND other.window_start < one.window_end
                """)
            #expect(overlaps == 0)
            // There is always the one behind the present one, and no more.
            let ahead = try await world.number(
                "SELECT count(*) FROM money_limits WHERE window_start > \(world.now)")
            #expect(ahead == 1)
            #expect(!world.announced.isEmpty)
        }
    }
}
