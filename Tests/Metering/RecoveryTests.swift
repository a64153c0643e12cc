import Base
import Loop
import Postgres
import Redis
import TestKit
import Testing

@testable import Admission
@testable import Metering

/// What becomes of what the dead have left behind.
@Suite(.serialized)
struct RecoveryTests {
    /// A Redis of its own, and a gatekeeper in front of it.
    private struct Scene: Sendable {
        let world: MeteringWorld
        let redis: PrivateRedis
        let client: RedisClient
        let gatekeeper: Gatekeeper
        let recovery: Recovery
        let metrics: Metrics

        /// Lets a call in that may cost so much.
        func admit(_ nanodollars: Int64, _ limits: [UUID], named id: UUID = .make()) async throws -> Permit {
            let subjects = gatekeeper.subjects([], at: .organization(world.organization))
            let request = AdmissionRequest(subjects, generation: nil)
            request.money = MoneyNeed(
                limits: limits.map { MoneyLimit(id: $0, isWallet: false, subject: .organization) },
                nanodollars: nanodollars)
            request.note = HoldNote(
                id: id, user: world.user, key: world.key, requestID: "req_7", endpoint: "createMessage",
                model: "opus")
            guard case .admitted(let permit) = await gatekeeper.admit(request).verdict else {
                throw Refused()
            }
            return permit
        }

        struct Refused: Error {}

        /// Waits until whoever lives has had the time to say so.
        func hearFromAll() async throws {
            while try await gatekeeper.livingWorkers() == nil {
                try await world.pool.loop.sleep(for: .milliseconds(5))
            }
        }

        /// Says all the time that the gatekeeper lives, and what it has.
        func pulse() -> GatekeeperPulse {
            var intervals = GatekeeperPulse.Intervals()
            (intervals.beat, intervals.workers) = (.milliseconds(10), .milliseconds(10))
            return GatekeeperPulse(gatekeeper, intervals)
        }

        /// The end of a call, as far as Redis knows.
        func settle(_ permit: Permit, _ event: UsageEvent) async -> Bool {
            let entry = JournalEntry(event)
            return await withUnsafeContinuation { continuation in
                gatekeeper.settle(
                    permit, tokens: 0, costs: event.charges.map(\.nanodollars),
                    journal: .init(id: entry.id, bytes: entry.bytes)
                ) { continuation.resume(returning: $0) }
            }
        }

        func granted() async throws -> Int64 {
            try await world.number("SELECT sum(granted_nano)::bigint FROM money_limits")
        }

        func send(_ words: String...) async throws -> RedisValue {
            var command = RedisCommand("EVAL")
            command.add("return redis.call(unpack(ARGV))")
            command.add(0)
            for word in words { command.add(word) }
            return try await client.send(command, timeout: .seconds(5), waitsForConnection: true)
        }
    }

    private func with(
        life: Duration = .milliseconds(20),
        _ change: @escaping @Sendable (inout Recovery.Patience) -> Void = { _ in },
        _ body: @escaping @Sendable (Scene) async throws -> Void
    ) async throws {
        try await MeteringWorld.with { world in
            try await PrivateRedis.with(on: world.pool.loop) { redis in
                let client = RedisClient(try RedisURL(redis.url), on: world.pool.loop)
                let metrics = Metrics()
                var bounds = Gatekeeper.Bounds()
                bounds.lifeOfWorker = life
                let gatekeeper = Gatekeeper(client, bounds: bounds, grants: GrantStore(world.pool))
                var patience = Recovery.Patience()
                patience.entries = .zero
                patience.holds = .zero
                patience.grants = .zero
                change(&patience)
                let recovery = Recovery(
                    world.pool, client, gatekeeper, counters: MeteringCounters(in: metrics, of: UsageQueue()),
                    logger: .silent, patience: patience)
                _ = try await client.send(
                    RedisCommand("PING"), timeout: .seconds(5), waitsForConnection: true)
                let scene = Scene(
                    world: world, redis: redis, client: client, gatekeeper: gatekeeper, recovery: recovery,
                    metrics: metrics)
                try await scene.hearFromAll()
                try await body(scene)
                client.close()
            }
        }
    }

    @Test func `what lies in a journal comes into the books, once`() async throws {
        try await with { scene in
            let limit = try await scene.world.makeLimit(dollar)
            var events: [UsageEvent] = []
            for place in 0..<5 {
                let permit = try await scene.admit(2 * cent, [limit])
                let event = scene.world.call(
                    cost: Int64(place) * 1000, paidBy: [limit], at: .now() + .seconds(-1)
                ) {
                    $0.id = permit.money?.id ?? .make()
                }
                #expect(await scene.settle(permit, event))
                events.append(event)
            }
            // One of them the books have.
            try await scene.world.book([events[2]])
            #expect(try await scene.recovery.drainJournals() == 5)
            #expect(try await scene.recovery.drainJournals() == 0)
            #expect(try await scene.world.number("SELECT count(*) FROM usage_events") == 5)
            #expect(try await scene.world.number("SELECT settled_nano FROM money_limits") == 10_000)
        }
    }

    @Test func `a call that died with its gateway is written off, and what was held for it is there again`()
        async throws
    {
        try await with { scene in
            let limit = try await scene.world.makeLimit(dollar)
            let id = UUID.make(at: .now())
            _ = try await scene.admit(30 * cent, [limit], named: id)
            try await scene.world.pool.loop.sleep(for: .milliseconds(5))
            #expect(try await scene.recovery.releaseOrphans(of: scene.world.organization) == 1)
            #expect(try await scene.recovery.releaseOrphans(of: scene.world.organization) == 0)
            let accounts = try #require(
                try await scene.gatekeeper.accounts(of: [limit], in: scene.world.organization))
            let granted = try await scene.granted()
            #expect(accounts[0].held == 0 && accounts[0].left == granted)
            #expect(try await scene.recovery.drainJournals() == 1)
            let row = try await scene.world.owner.query(
                """
                SELECT outcome, request_id, asked_model, charge_nano, written_off_nano FROM usage_events
                WHERE id = \(id)
                """
            ).decode((String, String, String, Int64, Int64).self)[0]
            #expect(row == ("orphaned", "req_7", "opus", 0, 30 * cent))
            #expect(try await scene.world.balance("write_off") == -30 * cent)
            #expect(try await scene.world.number("SELECT settled_nano FROM money_limits") == 0)
        }
    }

    @Test func `a call whose gateway is alive is let alone, however long it takes`() async throws {
        try await with(life: .milliseconds(500)) { scene in
            let limit = try await scene.world.makeLimit(dollar)
            let pulse = scene.pulse()
            let permit = try await scene.admit(30 * cent, [limit])
            try await scene.world.pool.loop.sleep(for: .milliseconds(200))
            #expect(try await scene.recovery.releaseOrphans(of: scene.world.organization) == 0)
            scene.gatekeeper.settle(permit, tokens: 0)
            await pulse.close()
        }
    }

    @Test func `who told the database and not Redis what it cost is not an orphan`() async throws {
        try await with { scene in
            let limit = try await scene.world.makeLimit(dollar)
            let id = UUID.make(at: .now())
            _ = try await scene.admit(30 * cent, [limit], named: id)
            let granted = try await scene.granted()
            try await scene.world.book([scene.world.call(cost: 20 * cent, paidBy: [limit]) { $0.id = id }])
            try await scene.world.pool.loop.sleep(for: .milliseconds(5))
            #expect(try await scene.recovery.releaseOrphans(of: scene.world.organization) == 0)
            let accounts = try #require(
                try await scene.gatekeeper.accounts(of: [limit], in: scene.world.organization))
            #expect(accounts[0] == .init(left: granted - 20 * cent, held: 0, paid: 0, isUncertain: false))
            #expect(try await scene.granted() == granted - 20 * cent)
        }
    }

    @Test func `a call that was written off and ends after all is charged`() async throws {
        try await with { scene in
            let limit = try await scene.world.makeLimit(dollar)
            let permit = try await scene.admit(30 * cent, [limit], named: .make(at: .now()))
            let granted = try await scene.granted()
            try await scene.world.pool.loop.sleep(for: .milliseconds(5))
            #expect(try await scene.recovery.releaseOrphans(of: scene.world.organization) == 1)
            try await scene.recovery.drainJournals()
            let event = scene.world.call(cost: 20 * cent, paidBy: [limit], at: .now() + .seconds(-1)) {
                $0.id = permit.money?.id ?? .make()
            }
            #expect(await scene.settle(permit, event))
            let accounts = try #require(
                try await scene.gatekeeper.accounts(of: [limit], in: scene.world.organization))
            #expect(
                accounts[0] == .init(left: granted - 20 * cent, held: 0, paid: 20 * cent, isUncertain: false))
            try await scene.recovery.drainJournals()
            #expect(try await scene.world.number("SELECT settled_nano FROM money_limits") == 20 * cent)
        }
    }

    /// A request that the database pays for alone, for some loop.
    private func direct(
        _ limits: [UUID], named id: UUID, by worker: Double, in scene: Scene
    ) async throws {
        let note = HoldNote(
            id: id, user: scene.world.user, key: scene.world.key, requestID: "req_8",
            endpoint: "createMessage",
            model: "opus")
        let wishes = limits.map {
            MoneyWish($0, least: 30 * cent, wanted: nil, worker: Int64(worker), note: note)
        }
        let answer = try await GrantStore(scene.world.pool).take(wishes, of: scene.world.organization)
        #expect(answer.amounts?.count == limits.count)
        try await scene.world.pool.loop.sleep(for: .milliseconds(5))
    }

    @Test func `a call that the database paid for alone and that died with its gateway is written off, once`()
        async throws
    {
        try await with { scene in
            let limits = [try await scene.world.makeLimit(dollar), try await scene.world.makeLimit(dollar)]
            let id = UUID.make(at: .now())
            try await direct(limits, named: id, by: 4711, in: scene)
            #expect(try await scene.granted() == 60 * cent)
            let outcome = try await scene.recovery.runWholly(takingBack: false)
            #expect(outcome == .init(calls: 0, orphans: 1, nanodollars: 60 * cent))
            #expect(try await scene.recovery.runWholly(takingBack: false) == .init())
            #expect(try await scene.granted() == 0)
            let rows = try await scene.world.owner.query(
                """
                SELECT outcome, request_id, asked_model, charge_nano, written_off_nano FROM usage_events
                WHERE id = \(id)
                """
            ).decode((String, String, String, Int64, Int64).self)
            #expect(rows.count == 1)
            #expect(rows[0] == ("orphaned", "req_8", "opus", 0, 30 * cent))
            #expect(try await scene.world.balance("write_off") == -30 * cent)
        }
    }

    @Test func `two who find the same lost call at once book it once`() async throws {
        try await with(life: .milliseconds(500)) { scene in
            let limit = try await scene.world.makeLimit(5 * dollar)
            for _ in 0..<10 { try await direct([limit], named: .make(at: .now()), by: 4711, in: scene) }
            let (recovery, organization) = (scene.recovery, scene.world.organization)
            async let one = recovery.reconcile([limit], of: organization)
            async let other = recovery.reconcile([limit], of: organization)
            #expect(try await one + other == 300 * cent)
            #expect(
                try await scene.world.number("SELECT count(*) FROM usage_events WHERE outcome = 'orphaned'")
                    == 10)
            #expect(try await scene.world.balance("write_off") == -300 * cent)
        }
    }

    @Test
    func
        `a call that the database paid for alone is no orphan while its gateway lives, or once it is booked`()
        async throws
    {
        try await with { scene in
            let limit = try await scene.world.makeLimit(dollar)
            let pulse = scene.pulse()
            let (alive, booked) = (UUID.make(at: .now()), UUID.make(at: .now()))
            try await direct([limit], named: alive, by: scene.gatekeeper.identity, in: scene)
            try await direct([limit], named: booked, by: 4711, in: scene)
            try await scene.world.book([scene.world.call(cost: 20 * cent, paidBy: [limit]) { $0.id = booked }]
            )
            for _ in 0..<3 {
                try await scene.world.pool.loop.sleep(for: .milliseconds(100))
                _ = try await scene.recovery.reconcile([limit], of: scene.world.organization)
            }
            #expect(try await scene.world.number("SELECT count(*) FROM usage_events") == 1)
            #expect(try await scene.world.number("SELECT settled_nano FROM money_limits") == 20 * cent)
            // What the living one may still cost.
            #expect(try await scene.granted() == 30 * cent)
            await pulse.close()
        }
    }

    @Test func `what Redis has lost can be granted again, as soon as nothing from before is under way`()
        async throws
    {
        try await with(life: .milliseconds(500)) { scene in
            let limit = try await scene.world.makeLimit(dollar)
            let (first, second) = (
                try await scene.admit(30 * cent, [limit]), try await scene.admit(30 * cent, [limit])
            )
            let event = scene.world.call(cost: 20 * cent, paidBy: [limit]) {
                $0.id = first.money?.id ?? .make()
            }
            #expect(await scene.settle(first, event))
            try await scene.world.book([event])
            let granted = try await scene.granted()
            _ = try await scene.send("FLUSHALL")
            let pulse = scene.pulse()
            try await scene.hearFromAll()
            for _ in 0..<2 {
                _ = try await scene.recovery.reconcile([limit], of: scene.world.organization)
                // The second is under way, and will pay.
                #expect(try await scene.granted() == granted)
                try await scene.world.pool.loop.sleep(for: .milliseconds(100))
            }
            let last = scene.world.call(cost: 10 * cent, paidBy: [limit]) {
                $0.id = second.money?.id ?? .make()
            }
            #expect(await scene.settle(second, last))
            try await scene.world.book([last])
            try await scene.recovery.drainJournals()
            try await scene.world.pool.loop.sleep(for: .milliseconds(100))
            #expect(
                try await scene.recovery.reconcile([limit], of: scene.world.organization) == granted - 10
                    * cent)
            #expect(try await scene.granted() == 0)
            #expect(try await scene.world.number("SELECT settled_nano FROM money_limits") == 30 * cent)
            await pulse.close()
        }
    }

    @Test func `whom Redis does not hear the database may hear, and only who is silent to both is dead`()
        async throws
    {
        let patience: @Sendable (inout Recovery.Patience) -> Void = { $0.holds = .milliseconds(400) }
        try await with(patience) { scene in
            let limit = try await scene.world.makeLimit(dollar)
            try await direct([limit], named: .make(at: .now()), by: 4711, in: scene)
            let store = GrantStore(scene.world.pool)
            for _ in 0..<6 {
                try await store.speak(for: 4711)
                try await scene.world.pool.loop.sleep(for: .milliseconds(100))
                _ = try await scene.recovery.reconcile([limit], of: scene.world.organization)
            }
            #expect(try await scene.granted() == 30 * cent)
            #expect(try await scene.world.number("SELECT count(*) FROM usage_events") == 0)
            try await scene.world.pool.loop.sleep(for: .milliseconds(500))
            _ = try await scene.recovery.reconcile([limit], of: scene.world.organization)
            #expect(try await scene.granted() == 0)
            #expect(
                try await scene.world.number("SELECT count(*) FROM usage_events WHERE outcome = 'orphaned'")
                    == 1)
        }
    }

    @Test func `a loop whose requests the database pays for says there that it lives`() async throws {
        try await with { scene in
            let limit = try await scene.world.makeLimit(dollar)
            let pulse = scene.pulse()
            #expect(try await scene.world.number("SELECT count(*) FROM money_workers") == 0)
            try await scene.redis.kill()
            let permit = try await scene.admit(30 * cent, [limit])
            #expect(permit.money?.isDirect == true)
            let identity = Int64(scene.gatekeeper.identity)
            let deadline = Instant.now() + .seconds(30)
            while try await scene.world.number(
                "SELECT count(*) FROM money_workers WHERE worker = \(identity)") == 0
            {
                try #require(Instant.now() < deadline, "it says nothing")
                try await scene.world.pool.loop.sleep(for: .milliseconds(20))
            }
            scene.gatekeeper.settle(permit, tokens: 0)
            await pulse.close()
        }
    }

    @Test func `a Redis that was just emptied says of nobody that they are dead`() async throws {
        try await with(life: .milliseconds(500)) { scene in
            let limit = try await scene.world.makeLimit(dollar)
            let permit = try await scene.admit(30 * cent, [limit])
            let granted = try await scene.granted()
            try await direct([limit], named: .make(at: .now()), by: scene.gatekeeper.identity, in: scene)
            _ = try await scene.send("FLUSHALL")
            // Before anybody has said that they live.
            _ = try await scene.recovery.reconcile([limit], of: scene.world.organization)
            #expect(try await scene.granted() == granted + 30 * cent)
            #expect(try await scene.world.number("SELECT count(*) FROM usage_events") == 0)
            scene.gatekeeper.settle(permit, tokens: 0)
        }
    }

    @Test func `what is still there stays granted, until it is taken back`() async throws {
        try await with { scene in
            let limit = try await scene.world.makeLimit(100 * dollar)
            let permit = try await scene.admit(30 * cent, [limit])
            let event = scene.world.call(cost: 20 * cent, paidBy: [limit], at: .now() + .seconds(-1)) {
                $0.id = permit.money?.id ?? .make()
            }
            #expect(await scene.settle(permit, event))
            let granted = try await scene.granted()
            try await scene.world.pool.loop.sleep(for: .milliseconds(5))
            // What is in the journal is not settled yet.
            #expect(try await scene.recovery.reconcile([limit], of: scene.world.organization) == 0)
            let outcome = try await scene.recovery.runWholly(takingBack: true)
            #expect(outcome == .init(calls: 1, orphans: 0, nanodollars: granted - 20 * cent))
            #expect(try await scene.granted() == 0)
            #expect(try await scene.world.number("SELECT settled_nano FROM money_limits") == 20 * cent)
        }
    }
}
