import Base
import Glibc
import Loop
import Redis
import TestKit
import Testing

@testable import Admission

/// Money while Redis or the database is away, forgets, or comes back with what was long ago.
struct MoneyOutageTests {
    private static let need = 2 * cent

    /// What happens to Redis while it is asked.
    enum Trouble: CaseIterable {
        case flushed
        /// Comes back with what it was in the beginning.
        case killedWithSnapshot
        /// Comes back with all it was.
        case killedWithLog
    }

    @Test(.timeLimit(.minutes(5)), arguments: Trouble.allCases)
    func `a Redis that forgets, or does not know what was spent, lets nobody overspend`(_ trouble: Trouble)
        async throws
    {
        let seed = seed()
        let folder = TemporaryDirectory.make("redis")
        defer { TemporaryDirectory.remove(folder) }
        let log = ["--appendonly", trouble == .killedWithLog ? "yes" : "no", "--appendfsync", "always"]
        try await withMoney(2, Gatekeeper.Bounds(), redisArguments: ["--dir", folder] + log) { world in
            for trial in 0..<4 {
                let budget = try await world.makeLimit(2 * dollar, of: .user(.make()))
                let load = Load()
                async let spending: Void = Self.spend(budget, seed &+ UInt64(trial), load, world)
                try await eventually(world.redis.loop) { load.spent > dollar / 8 }
                if trouble == .killedWithSnapshot { try await world.send(RedisCommand("SAVE")) }
                try await eventually(world.redis.loop) { load.spent > dollar / 2 }
                if trouble == .flushed {
                    try await world.send(RedisCommand("FLUSHALL"))
                } else {
                    try await world.redis.kill()
                    try await world.redis.start()
                }
                try await spending
                try await world.settleAll()
                let account = try await world.account(budget)
                let about = "seed \(seed), trial \(trial): \(load.spent) \(account)"
                #expect(load.spent <= account.granted && account.granted <= 2 * dollar, "\(about)")
                #expect(account.granted == account.open && account.held == 0, "\(about)")
                // What was not spent of the slices that are gone stays granted, and nobody spends it.
                #expect(account.left <= account.granted - load.spent, "\(about)")
            }
        }
    }

    @Test func `a slice that comes back from a snapshot is worth nothing`() async throws {
        let folder = TemporaryDirectory.make("redis")
        defer { TemporaryDirectory.remove(folder) }
        try await withMoney(redisArguments: ["--dir", folder]) { world in
            let wallet = try await world.makeLimit(dollar, wallet: true)
            func spend(_ cost: Int64) async throws -> Shortage? {
                try await world.workers[0].run { worker in
                    switch await world.admit(worker, [wallet], 50 * cent) {
                    case .admitted(let permit):
                        await worker.gatekeeper.settle(permit, tokens: 0, cost: cost, journal: nil)
                        return nil
                    case let verdict: return verdict.shortage
                    }
                }
            }
            #expect(try await spend(0) == nil)
            try await world.send(RedisCommand("SAVE"))
            #expect(try await spend(50 * cent) == nil)
            try await world.redis.kill()
            try await world.redis.start()
            // As it is written there, it is left; but it was spent.
            #expect(try await world.account(wallet).left == 50 * cent)
            #expect(try await spend(50 * cent) == nil)
            #expect(try await spend(50 * cent) == Shortage(wallet, .spent, affordable: 0))
            #expect(try await world.account(wallet).granted == dollar)
        }
    }

    @Test func `without Redis the database gives each request what it needs, and takes the rest back`()
        async throws
    {
        try await withMoney { world in
            let wallet = try await world.makeLimit(50 * dollar, wallet: true)
            let budget = try await world.makeLimit(dollar)
            try await world.redis.kill()
            try await world.workers[0].run { worker in
                try await eventually(worker.loop) { !worker.client.isReady }
                func admit(_ amount: Int64) async -> Gatekeeper.Verdict {
                    await world.admit(worker, [wallet, budget], amount)
                }
                func granted() async throws -> [Int64] {
                    [
                        try await world.account(wallet, isInRedis: false).granted,
                        try await world.account(budget, isInRedis: false).granted,
                    ]
                }
                let permit = try #require(await admit(60 * cent).permit)
                #expect(permit.isLocal && permit.money?.isDirect == true)
                #expect(try await granted() == [60 * cent, 60 * cent])
                #expect(
                    await admit(60 * cent).shortage == Shortage(budget, .heldByOthers, affordable: 40 * cent))
                #expect(
                    await admit(101 * cent).shortage == Shortage(budget, .neverFits, affordable: 40 * cent))
                let other = try #require(await admit(30 * cent).permit)
                // Whoever wanted to have it in the journal is told that it never comes there.
                #expect(
                    await !worker.gatekeeper.settle(
                        permit, tokens: 0, cost: 10 * cent, journal: Array("a".utf8)))
                #expect(try await granted() == [40 * cent, 40 * cent])
                await worker.gatekeeper.settle(other, tokens: 0, cost: 0, journal: nil)
                #expect(try await granted() == [10 * cent, 10 * cent])
                // A window that is full takes nothing of the database.
                let full = Limits(requests: .init(day: 0))
                #expect(await world.admit(worker, [wallet, budget], cent, full).refusal != nil)
                let third = try #require(await admit(90 * cent).permit)
                worker.gatekeeper.settle(third, tokens: 0)
                try await eventually(worker.loop) { try await granted() == [10 * cent, 10 * cent] }
                // What costs more than was thought takes more, as far as there is.
                let fourth = try #require(await admit(20 * cent).permit)
                await worker.gatekeeper.settle(fourth, tokens: 0, cost: 50 * cent, journal: nil)
                #expect(try await granted() == [60 * cent, 60 * cent])
                let fifth = try #require(await admit(20 * cent).permit)
                await worker.gatekeeper.settle(fifth, tokens: 0, cost: 70 * cent, journal: nil)
                #expect(try await granted() == [130 * cent, dollar])
            }
            let account = try await world.account(budget, isInRedis: false)
            #expect(account.open == dollar)
            try await world.redis.start()
            try await world.settleAll()
            #expect(try await world.journal() == [])
            #expect(world.counter("hivegate_direct_fundings_total") == 10)
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `a crowd without Redis spends what there is, and no more`() async throws {
        let seed = seed()
        try await withMoney(2) { world in
            let budget = try await world.makeLimit(dollar)
            try await world.redis.kill()
            let load = Load()
            async let spending: Void = Self.spend(budget, seed, load, world)
            try await eventually(world.redis.loop) { load.spent > dollar * 9 / 10 }
            // Only Redis can say that what is granted is spent.
            try await world.redis.start()
            try await spending
            try await world.settleAll()
            let account = try await world.account(budget)
            #expect(load.spent <= account.granted && account.granted <= dollar, "seed \(seed) \(account)")
        }
    }

    @Test func `without the database slices are spent on, and then nobody can say`() async throws {
        let postgres = PrivatePostgres()
        defer { postgres.remove() }
        try await withMoney(postgres: postgres) { world in
            let wallet = try await world.makeLimit(20 * dollar, wallet: true)
            try await world.workers[0].run { worker in
                // The slice is a twentieth.
                let permit = try #require(await world.admit(worker, [wallet], 10 * cent).permit)
                postgres.stop()
                for _ in 0..<9 { #expect(await world.admit(worker, [wallet], 10 * cent).permit != nil) }
                #expect(
                    await world.admit(worker, [wallet], 10 * cent).shortage
                        == Shortage(wallet, .unavailable, affordable: 0))
                await worker.gatekeeper.settle(permit, tokens: 0, cost: 3 * cent, journal: nil)
                #expect(
                    await world.admit(worker, [wallet], 10 * cent).shortage
                        == Shortage(wallet, .unavailable, affordable: 7 * cent))
                #expect(await world.admit(worker, [wallet], 7 * cent).permit != nil)
                world.redis.send(signal: SIGKILL)
                try await eventually(worker.loop) { !worker.client.isReady }
                #expect(
                    await world.admit(worker, [wallet], cent).shortage
                        == Shortage(wallet, .unavailable, affordable: 0))
                // What is not paid for goes on.
                #expect(await world.admit(worker, [], cent).permit != nil)
            }
        }
    }

    @Test func `what the database was not there to be told it is told when it is back`() async throws {
        let postgres = PrivatePostgres()
        defer { postgres.remove() }
        try await withMoney(postgres: postgres) { world in
            let wallet = try await world.makeLimit(20 * dollar, wallet: true)
            try await world.redis.kill()
            try await world.workers[0].run { worker in
                try await eventually(worker.loop) { !worker.client.isReady }
                let permit = try #require(await world.admit(worker, [wallet], 10 * cent).permit)
                postgres.stop()
                await worker.gatekeeper.settle(permit, tokens: 0, cost: 3 * cent, journal: nil)
                var intervals = GatekeeperPulse.Intervals()
                intervals.beat = .milliseconds(5)
                let pulse = GatekeeperPulse(worker.gatekeeper, intervals)
                #expect(worker.gatekeeper.treasury?.hasBills == true)
                postgres.start()
                try await eventually(worker.loop) { worker.gatekeeper.treasury?.hasBills == false }
                await pulse.close()
            }
            try await world.reconnect()
            let account = try await world.account(wallet, isInRedis: false)
            #expect(account.granted == 3 * cent && account.open == 3 * cent)
        }
    }

    @Test(arguments: [false, true])
    func `what Redis did not answer is told again, and done once`(_ isLost: Bool) async throws {
        try await withMoney(1, Gatekeeper.Bounds()) { world in
            let wallet = try await world.makeLimit(dollar, wallet: true)
            try await world.workers[0].run { worker in
                var permits: [Permit] = []
                try await eventually(worker.loop) {
                    let permit = await world.admit(worker, [wallet], 10 * cent).permit
                    if let permit, permit.isLocal { worker.gatekeeper.settle(permit, tokens: 0) }
                    if let permit, !permit.isLocal { permits.append(permit) }
                    return permits.count == 2
                }
                world.redis.send(signal: SIGSTOP)
                // One that Redis reads when it goes on, and one that never reached it.
                for (permit, entry) in zip(permits, ["a", "b"]) {
                    #expect(
                        await !worker.gatekeeper.settle(
                            permit, tokens: 0, cost: cent, journal: Array(entry.utf8)))
                }
                #expect(worker.gatekeeper.unsettled.map(\.isRepeated) == [true, false])
                world.redis.send(signal: SIGCONT)
            }
            try await eventually(world.redis.loop) { try await world.journal().contains("a") }
            if isLost { try await world.send(RedisCommand("FLUSHALL")) }
            try await world.settleAll()
            // What the journal may have was not to be relied upon.
            #expect(try await world.journal() == (isLost ? [] : ["a"]))
            let account = try await world.account(wallet)
            #expect(account.held == 0 && account.left == (isLost ? 0 : account.granted - 2 * cent))
        }
    }

    // MARK: Load

    private final class Load: Sendable {
        private let state = Locked<Int64>(0)
        var spent: Int64 { state.withLock { $0 } }
        func spend(_ amount: Int64) { state.withLock { $0 += amount } }
    }

    /// Until nothing is left.
    private static func spend(
        _ limit: MoneyLimit, _ seed: UInt64, _ load: Load, _ world: MoneyWorld
    ) async throws {
        _ = try await crowd(of: 40, at: world.workers) { worker, number in
            var random = SeededGenerator(seed: seed &+ UInt64(number) << 32)
            while true {
                switch await world.admit(worker, [limit], need) {
                case .admitted(let permit):
                    let pause = Int.random(in: 0...3000, using: &random)
                    try await worker.loop.sleep(for: .microseconds(pause))
                    let cost = Int64.random(in: 0...need, using: &random)
                    load.spend(cost)
                    await worker.gatekeeper.settle(permit, tokens: 0, cost: cost, journal: nil)
                case .unfunded(let shortage) where shortage.reason == .spent: return
                default: try await worker.loop.sleep(for: .milliseconds(5))
                }
            }
        }
    }
}
