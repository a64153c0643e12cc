import Base
import Loop
import Postgres
import Redis
import TestKit
import Testing

@testable import Admission

/// Months, by Redis and the database together.
struct QuotaTests {
    /// One loop with both databases, as the application's role.
    private final class World: @unchecked Sendable {
        let loop: EventLoop
        let redis: PrivateRedis
        let client: RedisClient
        let owner: PostgresConnection
        let pool: PostgresPool
        let store: QuotaStore
        let organization = UUID.make()

        init(
            _ database: MigratedDatabase, _ redis: PrivateRedis, _ client: RedisClient, on loop: EventLoop
        ) async throws {
            (self.loop, self.redis, self.client) = (loop, redis, client)
            owner = try await database.owner(on: loop)
            pool = try database.pool(on: loop)
            store = QuotaStore(pool)
            try await found(organization)
        }

        func found(_ organization: UUID) async throws {
            try await owner.execute("INSERT INTO organizations (id, name) VALUES (\(organization), 'acme')")
        }

        func gatekeeper(_ change: (inout Gatekeeper.Bounds) -> Void = { _ in }) -> Gatekeeper {
            var bounds = Gatekeeper.Bounds()
            bounds.patience = patience
            change(&bounds)
            return Gatekeeper(client, bounds: bounds) { [store] in try await store.load($0, $1, $2) }
        }

        func writer(_ gatekeeper: Gatekeeper) -> QuotaWriter {
            QuotaWriter(gatekeeper, store, on: loop, logger: .silent)
        }

        func flush() async throws { _ = try await client.send(RedisCommand("FLUSHALL"), timeout: patience) }

        /// What is written down of an organization: subject, month, requests, tokens.
        func rows(of organization: UUID? = nil) async throws -> [String] {
            try await owner.query(
                """
                SELECT subject || ' ' || month || ' ' || requests || ' ' || tokens FROM quota_use
                WHERE org_id = \(organization ?? self.organization) ORDER BY subject, month
                """
            ).decode(String.self)
        }

        /// A month that began long ago, and ends in so long by Redis's clock.
        func calendar(_ index: Int = 24_322, endingIn rest: Duration = .seconds(86_400)) async throws
            -> Calendar
        {
            let time = try await client.send(RedisCommand("TIME"), timeout: patience).array ?? []
            let now = time.compactMap { $0.string.flatMap { Int64($0) } }
            let end = Timestamp(microseconds: now[0] * 1_000_000 + now[1]) + rest
            return Calendar(starts: [
                (index, end + .seconds(-30 * 86_400)), (index + 1, end),
                (index + 2, end + .seconds(30 * 86_400)),
            ])
        }
    }

    private func withWorld(_ body: @escaping @Sendable (World) async throws -> Void) async throws {
        let database = try await MigratedDatabase()
        try await withRedis { redis, client in
            let world = try await World(database, redis, client, on: client.loop)
            do {
                try await body(world)
            } catch {
                await world.pool.close(until: .now() + .seconds(5))
                world.owner.close()
                throw error
            }
            await world.pool.close(until: .now() + .seconds(5))
            world.owner.close()
        }
    }

    private static let twice = Limits(requests: .init(month: 2))
    private static let monthly = Limits(requests: .init(month: 6), tokens: .init(month: 1000))

    /// How many of so many requests are admitted, each of which reserves tokens and takes some.
    private static func admit(
        _ count: Int, _ gatekeeper: Gatekeeper, _ list: SubjectList, _ calendar: Calendar,
        reserving reserved: Int64 = 100, taking tokens: Int64 = 10
    ) async -> Int {
        var admitted = 0
        for _ in 0..<count {
            let request = AdmissionRequest(list, generation: nil, tokens: reserved, calendar: calendar)
            guard case .admitted(let permit) = await gatekeeper.admit(request).verdict else { continue }
            gatekeeper.settle(permit, tokens: tokens)
            admitted += 1
        }
        return admitted
    }

    @Test func `a month that is used half goes on where it was when Redis has lost everything`() async throws
    {
        try await withWorld { world in
            let gatekeeper = world.gatekeeper()
            let writer = world.writer(gatekeeper)
            let calendar = try await world.calendar()
            let user = UUID.make()
            let list = gatekeeper.subjects(
                [(.organization, Self.monthly), (.user(user), Limits(requests: .init(month: 5)))],
                at: .organization(world.organization))
            #expect(await Self.admit(3, gatekeeper, list, calendar) == 3)
            await writer.write()
            // What was reserved and not taken is not written down.
            #expect(try await world.rows() == ["organization 24322 3 30", "user:\(user) 24322 3 30"])
            try await world.flush()
            #expect(await Self.admit(1, gatekeeper, list, calendar) == 1)
            // All that can be lost is what was not written down.
            try await world.flush()
            #expect(await Self.admit(5, gatekeeper, list, calendar) == 2)
            await writer.close()
            #expect(try await world.rows() == ["organization 24322 5 50", "user:\(user) 24322 5 50"])
            try await world.flush()
            let other = world.gatekeeper()
            let known = other.subjects(
                [(.organization, Self.monthly)], at: .organization(world.organization))
            #expect(await Self.admit(3, other, known, calendar, reserving: 951) == 0)
            #expect(await Self.admit(3, other, known, calendar, reserving: 950) == 1)
        }
    }

    @Test func `a month begins anew by the clock alone, for each organization when its own does`()
        async throws
    {
        try await withWorld { world in
            let gatekeeper = world.gatekeeper()
            let writer = world.writer(gatekeeper)
            let elsewhere = UUID.make()
            try await world.found(elsewhere)
            let early = try await world.calendar(endingIn: .seconds(2))
            let late = try await world.calendar(endingIn: .seconds(3600))
            func list(_ organization: UUID) -> SubjectList {
                gatekeeper.subjects([(.organization, Self.twice)], at: .organization(organization))
            }
            let (here, there) = (list(world.organization), list(elsewhere))
            #expect(await Self.admit(3, gatekeeper, here, early, reserving: 10) == 2)
            #expect(await Self.admit(3, gatekeeper, there, late, reserving: 10) == 2)
            let verdict = await gatekeeper.admit(
                AdmissionRequest(here, generation: nil, calendar: early)
            ).verdict
            guard case .refused(let refusal) = verdict else { throw RedisError(.closed) }
            #expect(refusal.limit == .window(LimitName(.requests, .month)))
            await writer.write()
            try await world.loop.sleep(for: refusal.wait ?? .zero)
            #expect(await Self.admit(3, gatekeeper, here, early, reserving: 10) == 2)
            #expect(await Self.admit(3, gatekeeper, there, late, reserving: 10) == 0)
            await writer.write()
            // Nor does a Redis that has lost everything bring the old month back.
            try await world.flush()
            #expect(await Self.admit(1, gatekeeper, here, early, reserving: 10) == 0)
            #expect(await Self.admit(1, gatekeeper, there, late, reserving: 10) == 0)
            await writer.close()
            #expect(try await world.rows() == ["organization 24322 2 20", "organization 24323 2 20"])
            #expect(try await world.rows(of: elsewhere) == ["organization 24322 2 20"])
        }
    }

    @Test func `what is written down never becomes less, and one that cannot be does not hold up the rest`()
        async throws
    {
        try await withWorld { world in
            func entry(
                _ organization: UUID, _ subject: String, _ requests: Int64, _ tokens: Int64,
                month: Int64 = 24_322
            ) -> QuotaStore.Entry {
                QuotaStore.Entry(
                    organization: organization, month: month,
                    use: QuotaUse(subject: subject, requests: requests, tokens: tokens))
            }
            try await world.store.save([
                entry(world.organization, "organization", 5, 50), entry(world.organization, "model:a", 1, 1),
                entry(.make(), "organization", 9, 9),
                entry(world.organization, "model:\(String(repeating: "x", count: 300))", 1, 1),
                entry(world.organization, "model:a\0b", 1, 1),
                entry(world.organization, "key:k", 1, 1, month: 7),
            ])
            try await world.store.save([entry(world.organization, "organization", 4, 60)])
            #expect(try await world.rows() == ["model:a 24322 1 1", "organization 24322 5 60"])
            let loaded = try await world.store.load(
                world.organization, [.organization, .model("a"), .model("b")], 24_322)
            #expect(loaded.map(\.subject).sorted() == ["model:a", "organization"])
            #expect(try await world.store.load(world.organization, [.organization], 24_323) == [])
            #expect(try await world.store.load(.make(), [.organization], 24_322) == [])
        }
    }

    @Test func `each subject is told once, and again only when it has gone on`() async throws {
        try await withWorld { world in
            // So few are remembered that the organization is soon remembered twice.
            let gatekeeper = world.gatekeeper { $0.subjects = 2 }
            let calendar = try await world.calendar()
            let place = Place.organization(world.organization)
            let one = gatekeeper.subjects([(.organization, Self.monthly)], at: place)
            for number in 0..<4 {
                _ = gatekeeper.subjects([(.model("\(number)"), Self.monthly)], at: place)
            }
            let two = gatekeeper.subjects([(.organization, Self.monthly)], at: place)
            #expect(one.subjects[0].memory !== two.subjects[0].memory)
            #expect(await Self.admit(2, gatekeeper, one, calendar) == 2)
            #expect(await Self.admit(2, gatekeeper, two, calendar) == 2)
            let told = Locked<[[QuotaStore.Entry]]>([])
            await #expect(throws: RedisError.self) {
                try await gatekeeper.writeMonths { _ in throw RedisError(.closed) }
            }
            for _ in 0..<2 {
                try await gatekeeper.writeMonths { entries in told.withLock { $0.append(entries) } }
            }
            let entry = QuotaStore.Entry(
                organization: world.organization, month: 24_322,
                use: QuotaUse(subject: "organization", requests: 4, tokens: 40))
            #expect(told.withLock { $0 } == [[entry]])
            // A minute's limit is nothing to write down.
            let minute = gatekeeper.subjects([(.key(.make()), Limits(requests: .init(minute: 5)))], at: place)
            #expect(await Self.admit(1, gatekeeper, minute, calendar) == 1)
            try await gatekeeper.writeMonths { entries in told.withLock { $0.append(entries) } }
            #expect(told.withLock { $0.count } == 1)
        }
    }

    @Test func `what was admitted while Redis was away counts in the month also when Redis comes back empty`()
        async throws
    {
        try await withWorld { world in
            let gatekeeper = world.gatekeeper()
            let writer = world.writer(gatekeeper)
            let calendar = try await world.calendar()
            let list = gatekeeper.subjects(
                [(.organization, Self.monthly)], at: .organization(world.organization))
            #expect(await Self.admit(2, gatekeeper, list, calendar) == 2)
            try await world.redis.kill()
            #expect(await Self.admit(1, gatekeeper, list, calendar) == 1)
            await writer.write()
            // What Redis does not know yet is told to it, and then written down.
            #expect(try await world.rows() == ["organization 24322 2 20"])
            try await world.redis.start()
            _ = try await world.client.send(
                RedisCommand("PING"), timeout: patience, waitsForConnection: true)
            #expect(await Self.admit(5, gatekeeper, list, calendar) == 3)
            await writer.close()
            #expect(try await world.rows() == ["organization 24322 6 60"])
        }
    }
}
