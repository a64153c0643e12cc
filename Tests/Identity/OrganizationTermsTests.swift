import Base
import Identity
import Loop
import Postgres
import TestKit
import Testing

/// What a key's look-up says of what limits its organization, against a real PostgreSQL.
struct OrganizationTermsTests {
    private static func caller(of key: APIKey, _ world: KeyWorld) async throws -> Caller {
        try #require(try await world.store.caller(of: world.peppers.digests(of: key)))
    }

    private static func patch(
        _ change: (inout IdentityStore.LimitsPatch) -> Void
    ) -> IdentityStore.LimitsPatch {
        var patch = IdentityStore.LimitsPatch()
        change(&patch)
        return patch
    }

    private static func text(_ json: [UInt8]?) -> String? {
        json.map { String(decoding: $0.filter { $0 != 0x20 }, as: UTF8.self) }
    }

    @Test func `an organization of which nobody has said anything has no terms`() async throws {
        try await KeyWorld.run { world in
            let key = try await world.makeKey()
            #expect(try await Self.caller(of: key, world).terms == nil)
            #expect(try await world.store.terms(of: world.organization) == nil)
            let daily = try await world.store.makeKey(
                NewKey(name: "daily", limits: PostgresJSON(#"{"requests_per_day":5}"#)), for: world.user,
                of: world.organization, by: .command)
            #expect(try await Self.caller(of: daily.key, world).terms == nil)
        }
    }

    @Test func `a key that is limited by the month knows when its months begin`() async throws {
        try await KeyWorld.run { world in
            let monthly = try await world.store.makeKey(
                NewKey(name: "monthly", limits: PostgresJSON(#"{"tokens_per_month":5}"#)), for: world.user,
                of: world.organization, by: .command)
            let months = try #require(try await Self.caller(of: monthly.key, world).terms?.months)
            let now = CivilTime(.now())
            #expect(months.map(\.index) == (0..<3).map { now.year * 12 + now.month - 1 + $0 })
            for month in months {
                let start = CivilTime(month.start)
                #expect((start.day, start.hour, start.minute, start.second) == (1, 0, 0, 0))
                #expect(start.year * 12 + start.month - 1 == month.index)
            }
        }
    }

    @Test func `everything that was said of an organization comes with the caller of its keys`() async throws
    {
        try await KeyWorld.run { world in
            let key = try await world.makeKey()
            let overrides = #"{"organization":{"requests_per_month":null}}"#
            let own = #"{"user":{"tokens_per_month":7}}"#
            let given = try await world.store.setLimits(
                ofAny: world.organization,
                Self.patch {
                    $0.plan = .some("pro")
                    $0.overrides = .some(Array(overrides.utf8))
                    // Fourteen hours before UTC, all year.
                    $0.timeZone = "etc/gmt-14"
                }, by: .command)
            _ = try await world.store.setLimits(
                of: world.organization, Self.patch { $0.own = .some(Array(own.utf8)) }, by: .command)
            let last = try await world.store.setCachePolicy(
                of: world.organization, to: Array(#"{"enabled":true}"#.utf8), by: .command)
            #expect(last.generation == given.generation + 2)

            let terms = try #require(try await Self.caller(of: key, world).terms)
            #expect(terms.plan == "pro" && terms.timeZone == "Etc/GMT-14")
            #expect(Self.text(terms.planLimits)?.contains(#""requests_per_month":10000"#) == true)
            #expect(Self.text(terms.limitOverrides) == overrides && Self.text(terms.limits) == own)
            #expect(Self.text(terms.cachePolicy) == #"{"enabled":true}"#)
            let ahead = Duration.seconds(14 * 3600)
            let there = CivilTime(.now() + ahead)
            #expect(terms.months.map(\.index) == (0..<3).map { there.year * 12 + there.month - 1 + $0 })
            for month in terms.months {
                let start = CivilTime(month.start + ahead)
                #expect((start.day, start.hour, start.minute) == (1, 0, 0))
                #expect(start.year * 12 + start.month - 1 == month.index)
            }
            #expect(try await world.store.terms(of: world.organization) == terms)

            _ = try await world.store.setLimits(
                ofAny: world.organization,
                Self.patch {
                    ($0.plan, $0.overrides, $0.own, $0.timeZone) = (.some(nil), .some(nil), .some(nil), "UTC")
                },
                by: .command)
            _ = try await world.store.setCachePolicy(of: world.organization, to: nil, by: .command)
            #expect(try await Self.caller(of: key, world).terms == nil)
        }
    }

    @Test func `the keys of an organization share one object of its terms, until these change`() async throws
    {
        try await KeyWorld.run { world in
            let lookup = CallerLookup(world.pool)
            func terms(_ key: APIKey) async throws -> OrganizationTerms? {
                try await lookup.caller(of: world.peppers.digests(of: key))?.caller.terms
            }
            let monthly = try await world.store.makeKey(
                NewKey(name: "monthly", limits: PostgresJSON(#"{"tokens_per_month":5}"#)), for: world.user,
                of: world.organization, by: .command)
            let other = try await world.makeKey()
            func set(_ plan: String) async throws {
                _ = try await world.store.setLimits(
                    ofAny: world.organization, Self.patch { $0.plan = .some(plan) }, by: .command)
            }
            try await set("free")
            let first = try #require(try await terms(monthly.key))
            #expect(try await terms(other) === first)
            try await set("starter")
            let second = try #require(try await terms(other))
            #expect(second.plan == "starter" && second !== first)
            #expect(try await terms(monthly.key) === second)
        }
    }

    @Test func `a change of what limits an organization is known to every process with the next request`()
        async throws
    {
        try await KeyWorld.run { world in
            let (one, other) = (try await world.process(), try await world.process())
            let key = try await world.makeKey()
            for process in [one, other] {
                #expect(try await process.ring.caller(presenting: key)?.terms == nil)
            }
            for plan in ["free", "pro", nil] {
                let change = try await world.store.setLimits(
                    ofAny: world.organization, Self.patch { $0.plan = .some(plan) }, by: .command)
                await one.generations.announce(change.organization, change.generation)
                for process in [one, other] {
                    #expect(try await process.ring.caller(presenting: key)?.terms?.plan == plan)
                }
            }
            let change = try await world.store.setCachePolicy(
                of: world.organization, to: Array("{}".utf8), by: .command)
            await one.generations.announce(change.organization, change.generation)
            #expect(try await other.ring.caller(presenting: key)?.terms?.cachePolicy == Array("{}".utf8))
            await one.close()
            await other.close()
        }
    }

    @Test func `a plan or a time zone that there is not is refused, and nothing is changed`() async throws {
        try await KeyWorld.run { world in
            let before = try await world.store.limits(of: world.organization)
            func refusal(_ change: (inout IdentityStore.LimitsPatch) -> Void) async throws -> Problem? {
                do {
                    _ = try await world.store.setLimits(
                        ofAny: world.organization, Self.patch(change), by: .command)
                    return nil
                } catch let problem as Problem {
                    return problem
                }
            }
            let plan = try #require(try await refusal { $0.plan = .some("platinum") })
            #expect((plan.kind, plan.field) == (.unprocessable, "plan"))
            #expect(plan.message.contains("enterprise, free, pro, starter"))
            for zone in ["Europe/Atlantis", "", "posix/UTC", "localtime", "EST5", "+03", "UTC'; --"] {
                let refused = try #require(try await refusal { $0.timeZone = zone }, "\(zone)")
                #expect((refused.kind, refused.field) == (.unprocessable, "time_zone"))
            }
            #expect(try await world.store.limits(of: world.organization) == before)
            await #expect(throws: Problem.self) {
                try await world.store.setLimits(
                    ofAny: .make(), Self.patch { $0.plan = .some(nil) }, by: .command)
            }
        }
    }

    @Test func `a zone that the database has lost counts as UTC, and keys are good all the same`()
        async throws
    {
        try await KeyWorld.run { world in
            let key = try await world.makeKey()
            var configuration = world.database
            configuration.role = nil
            let owner = try await PostgresConnection.connect(configuration, on: world.loop)
            defer { owner.close() }
            await #expect(throws: PostgresError.self) {
                try await owner.execute("UPDATE organizations SET time_zone = 'Europe/Atlantis'")
            }
            try await owner.execute("ALTER TABLE organizations DISABLE TRIGGER keep_a_known_time_zone")
            try await owner.execute("UPDATE organizations SET time_zone = 'Europe/Atlantis'")
            let terms = try #require(try await Self.caller(of: key, world).terms)
            #expect(terms.timeZone == "Europe/Atlantis")
            let start = try #require(terms.months.first.map { CivilTime($0.start) })
            #expect((start.day, start.hour) == (1, 0))
        }
    }

    @Test func `a new organization has the plan of new ones, as far as there is one`()
        async throws
    {
        try await IdentityWorld.run { world in
            func plan(whereNewOnesHave plan: String) async throws -> String? {
                let store = try world.store(planOfNew: plan)
                let founding = try await store.found(
                    organization: plan, owner: "\(plan)@example.com", password: PasswordHash(stored: "none"),
                    by: .command)
                return try await store.limits(of: founding.organization).plan
            }
            #expect(try await plan(whereNewOnesHave: "free") == "free")
            #expect(try await plan(whereNewOnesHave: "none") == nil)
            let tenant = try await world.makeTenant("usual")
            #expect(try await world.store.limits(of: tenant.organization).plan == nil)
        }
    }
}
