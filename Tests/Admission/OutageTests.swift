import Base
import Glibc
import Loop
import Redis
import TestKit
import Testing

@testable import Admission

/// Redis is stopped, killed or emptied while requests come.
struct OutageTests {
    private static let callers = 40

    @Test(.timeLimit(.minutes(5)), arguments: [SIGSTOP, SIGKILL])
    func `without Redis each request gets a verdict, and hardly more than the limit are admitted`(
        _ signal: Int32
    ) async throws {
        try await withWorkers(2, Gatekeeper.Bounds()) { redis, workers in
            for limit in [500, 1000] {
                let load = Load(limit)
                async let callers = Self.ask(workers, load)
                try await eventually(redis.loop) { load.tally.admitted > limit * 4 / 10 }
                redis.send(signal: signal)
                // All that there is has been given away, and more is asked for.
                try await eventually(redis.loop) { load.tally.refusedLocally.allSatisfy { $0 > 200 } }
                let meanwhile = load.tally
                #expect(meanwhile.admitted <= limit * 11 / 10, "\(meanwhile)")
                #expect(meanwhile.admittedLocally > 0, "\(meanwhile)")
                if signal == SIGSTOP { redis.send(signal: SIGCONT) } else { try await redis.restart() }
                try await eventually(redis.loop) {
                    zip(load.tally.answered, meanwhile.answered).allSatisfy { $0 > $1 + 100 }
                }
                load.end()
                _ = try await callers
                try await Self.check(load.tally, since: meanwhile, signal, limit, load.organization, workers)
            }
        }
    }

    private static func check(
        _ tally: Tally, since meanwhile: Tally, _ signal: Int32, _ limit: Int, _ organization: UUID,
        _ workers: [Worker]
    ) async throws {
        // Only a hang takes as long.
        #expect(tally.slowest < .seconds(2))
        for worker in workers { try await worker.run { await $0.payDebts() } }
        let counted = Int(try await workers[0].run { try await $0.counted(organization)[.requests, .day] })
        if signal == SIGSTOP {
            #expect(tally.admitted <= limit * 11 / 10, "\(tally)")
            // What it had done and not said when it was stopped, it has counted, too.
            #expect(counted >= tally.admitted && counted <= tally.admitted + callers, "\(counted) \(tally)")
        } else {
            // It has forgotten what came before.
            let since = tally.admittedLocally + tally.admittedByRedis - meanwhile.admittedByRedis
            #expect(counted >= since && counted <= since + callers, "\(counted) \(tally) \(meanwhile)")
        }
    }

    @Test func `what was decided while Redis hung is counted there afterwards, once`() async throws {
        try await withWorkers(1, Gatekeeper.Bounds()) { redis, workers in
            for pause in [0, 300] {
                let organization = UUID.make()
                try await workers[0].run { worker in
                    let list = worker.list(organization, Limits(requests: .init(day: 1000)))
                    // As if its keys had changed: what is counted later has none.
                    try await worker.know(generation: 3, organization)
                    try await eventually(worker.loop) { await worker.admit(list).permit?.isLocal == false }
                    let before = try await worker.counted(organization)[.requests, .day]
                    redis.send(signal: SIGSTOP)
                    let permits = try await crowd(of: 100, at: workers) { worker, _ in
                        await worker.admit(list).permit
                    }
                    try await worker.loop.sleep(for: .milliseconds(pause))
                    redis.send(signal: SIGCONT)
                    #expect(permits.allSatisfy { $0?.isLocal == true })
                    await worker.payDebts()
                    #expect(try await worker.counted(organization)[.requests, .day] == before + 100)
                }
            }
        }
    }

    @Test func `what was reserved is given back, whether Redis was away at the beginning or at the end`()
        async throws
    {
        try await withWorkers(1, Gatekeeper.Bounds()) { redis, workers in
            let organization = UUID.make()
            try await workers[0].run { worker in
                let list = worker.list(organization, Limits(tokens: .init(day: 1000)))
                var permits: [Permit] = []
                try await eventually(worker.loop) {
                    permits = [await worker.admit(list, tokens: 100).permit].compactMap(\.self)
                    return permits.first?.isLocal == false
                }
                let before = try await worker.counted(organization)[.tokens, .day]
                redis.send(signal: SIGSTOP)
                for _ in 0..<3 {
                    permits.append(try #require(await worker.admit(list, tokens: 100).permit))
                }
                #expect(permits.dropFirst().allSatisfy { $0.isLocal } && !worker.client.isReady)
                // One of before, and one of now.
                worker.gatekeeper.settle(permits[0], tokens: 30)
                worker.gatekeeper.settle(permits[1], tokens: 20)
                redis.send(signal: SIGCONT)
                await worker.payDebts()
                #expect(try await worker.counted(organization)[.tokens, .day] == before - 70 + 20 + 200)
                worker.gatekeeper.settle(permits[2], tokens: 10)
                worker.gatekeeper.settle(permits[3], tokens: 150)
                #expect(try await worker.counted(organization)[.tokens, .day] == before - 70 + 20 + 160)
            }
        }
    }

    @Test func `who is too large for a share of the limit is told to come again`() async throws {
        try await withWorkers(1) { redis, workers in
            try await redis.kill()
            try await workers[0].run { worker in
                let list = worker.list(UUID.make(), Limits(tokens: .init(minute: 1000)))
                worker.gatekeeper.workerCount = 2
                try await eventually(worker.loop) { !worker.client.isReady }
                #expect(await worker.admit(list, tokens: 501).refusal?.wait != nil)
                #expect(await worker.admit(list, tokens: 1001).refusal.map { $0.wait == nil } == true)
                #expect(await worker.admit(list, tokens: 500).permit != nil)
            }
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `a Redis that is emptied under load lets one more window pass`() async throws {
        try await withWorkers(2) { redis, workers in
            for limit in [200, 1000] {
                let load = Load(limit)
                async let callers = Self.ask(workers, load)
                try await eventually(redis.loop) { load.tally.admitted > limit / 2 }
                _ = try await workers[0].run { try await $0.client.send(RedisCommand("FLUSHALL")) }
                try await eventually(redis.loop) { load.tally.refused > 400 }
                load.end()
                _ = try await callers
                #expect(load.tally.admitted >= limit && load.tally.admitted <= 2 * limit)
                #expect(load.tally.admittedLocally == 0)
            }
        }
    }

    // MARK: Load

    private struct Tally {
        var admittedByRedis = 0
        var admittedLocally = 0
        /// By worker.
        var refusedLocally = [0, 0]
        var answered = [0, 0]
        var refused = 0
        var slowest = Duration.zero

        var admitted: Int { admittedByRedis + admittedLocally }
    }

    private final class Load: Sendable {
        let organization = UUID.make()
        let limit: Int
        private let state = Locked((tally: Tally(), isOver: false))

        init(_ limit: Int) { self.limit = limit }

        var tally: Tally { state.withLock { $0.tally } }
        var isOver: Bool { state.withLock { $0.isOver } }

        func end() { state.withLock { $0.isOver = true } }

        func note(_ verdict: Gatekeeper.Verdict, at worker: Int, after duration: Duration) {
            state.withLock { state in
                state.tally.slowest = max(state.tally.slowest, duration)
                switch verdict {
                case .admitted(let permit) where permit.isLocal: state.tally.admittedLocally += 1
                case .admitted:
                    state.tally.admittedByRedis += 1
                    state.tally.answered[worker] += 1
                case .refused(let refusal) where refusal.isLocal: state.tally.refusedLocally[worker] += 1
                case .refused:
                    state.tally.refused += 1
                    state.tally.answered[worker] += 1
                case .unfunded: Issue.record("nothing is paid for")
                case .outdated: Issue.record("nobody has changed a key")
                }
            }
        }
    }

    private static func ask(_ workers: [Worker], _ load: Load) async throws {
        _ = try await crowd(of: callers, at: workers) { worker, number in
            let list = worker.list(load.organization, Limits(requests: .init(day: load.limit)))
            while !load.isOver {
                let start = Instant.now()
                let verdict = await worker.admit(list)
                load.note(verdict, at: number % workers.count, after: .now() - start)
                try await worker.loop.sleep(for: .milliseconds(2))
            }
        }
    }
}

extension PrivateRedis {
    /// As a crash and a supervisor do.
    fileprivate func restart() async throws {
        try await kill()
        try await start()
    }
}

extension Worker {
    fileprivate func list(_ organization: UUID, _ limits: Limits) -> SubjectList {
        gatekeeper.subjects([(.organization, limits)], at: .organization(organization))
    }

    fileprivate func know(generation: Int, _ organization: UUID) async throws {
        var command = RedisCommand("HSET")
        command.add(Place.organization(organization).key)
        command.add("g")
        command.add(generation)
        _ = try await client.send(command, timeout: patience, waitsForConnection: true)
    }

    /// Asks for somebody else until Redis has answered: what is owed is told before.
    fileprivate func payDebts() async {
        let list = list(UUID.make(), Limits(requests: .init(minute: 1_000_000)))
        while await admit(list).permit?.isLocal != false {
            do { try await loop.sleep(for: .milliseconds(5)) } catch { return }
        }
    }
}
