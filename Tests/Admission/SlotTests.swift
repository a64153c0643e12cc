import Base
import Glibc
import Loop
import Redis
import TestKit
import Testing

@testable import Admission

/// Requests under way at once, at two gatekeepers.
struct SlotTests {
    @Test(.timeLimit(.minutes(5)))
    func `no more are under way than may be, whoever comes, goes and is spoken for`() async throws {
        let seed = seed()
        try await withWorkers(2) { _, workers in
            for trial in 0..<UInt64(20) {
                var random = SeededGenerator(seed: seed &+ trial)
                let limit = Int.random(in: 1...20, using: &random)
                let organization = UUID.make()
                let underway = Locked((now: 0, most: 0, refused: 0))
                _ = try await crowd(of: 60, at: workers) { worker, number in
                    var random = SeededGenerator(seed: (seed &+ trial) &+ UInt64(number) << 32)
                    let list = worker.list(organization, limit)
                    for _ in 0..<20 {
                        if Int.random(in: 0..<8, using: &random) == 0 { worker.gatekeeper.renewLeases() }
                        guard let permit = await worker.admit(list).permit else {
                            underway.withLock { $0.refused += 1 }
                            continue
                        }
                        underway.withLock {
                            $0.now += 1
                            $0.most = max($0.most, $0.now)
                        }
                        let length = Int.random(in: 0...2000, using: &random)
                        try await worker.loop.sleep(for: .microseconds(length))
                        underway.withLock { $0.now -= 1 }
                        worker.gatekeeper.settle(permit, tokens: 0)
                    }
                }
                let most = underway.withLock { $0 }
                #expect(most.most == limit && most.refused > 0, "seed \(seed), trial \(trial): \(most)")
                // All have gone, and none is counted any more.
                try await Self.settled(workers)
                #expect(try await Self.free(limit, organization, workers[0]) == limit, "seed \(seed)")
            }
        }
    }

    @Test func `the requests of a worker that has died count until its lease ends, and no longer`()
        async throws
    {
        try await withWorkers(2, Self.bounds(lease: .seconds(1))) { _, workers in
            let organization = UUID.make()
            #expect(try await Self.occupy(3, organization, workers[0]).count == 3)
            try await workers[0].run { $0.client.close() }
            try await workers[1].run { worker in
                let list = worker.list(organization, 3)
                #expect(await worker.admit(list).refusal?.limit == .underway)
                try await eventually(worker.loop) { await worker.admit(list).permit != nil }
            }
            #expect(try await Self.free(3, organization, workers[1]) == 2)
        }
    }

    @Test func `the requests of a worker that speaks for them count as long as it does`() async throws {
        try await withWorkers(2, Self.bounds(lease: .seconds(1))) { _, workers in
            let organization = UUID.make()
            let permits = try await Self.occupy(3, organization, workers[0])
            for _ in 0..<50 {
                try await workers[0].run { $0.gatekeeper.renewLeases() }
                try await workers[1].run { worker in
                    #expect(await worker.admit(worker.list(organization, 3)).refusal?.limit == .underway)
                    try await worker.loop.sleep(for: .milliseconds(50))
                }
            }
            try await workers[0].run { worker in
                for permit in permits { worker.gatekeeper.settle(permit, tokens: 0) }
            }
            try await Self.settled(workers)
            #expect(try await Self.free(3, organization, workers[1]) == 3)
        }
    }

    @Test func `requests that end while Redis is away leave nothing behind`() async throws {
        // So long that no lease ends.
        try await withWorkers(2, Self.bounds(lease: .seconds(600), patience: .milliseconds(50))) {
            redis, workers in
            let organization = UUID.make()
            let first = workers[0]
            let permits = try await Self.occupy(4, organization, first)
            redis.send(signal: SIGSTOP)
            let more = try await first.run { worker in
                // Four of twelve are its own, and so may be two more.
                var more: [Permit] = []
                for _ in 0..<2 {
                    more.append(try #require(await worker.admit(worker.list(organization, 12)).permit))
                }
                #expect(more.allSatisfy(\.isLocal) && !worker.client.isReady)
                for permit in permits { worker.gatekeeper.settle(permit, tokens: 0) }
                worker.gatekeeper.settle(more[0], tokens: 0)
                return more
            }
            redis.send(signal: SIGCONT)
            try await first.run { worker in
                try await eventually(worker.loop) { worker.client.isReady }
                worker.gatekeeper.renewLeases()
            }
            try await Self.settled(workers)
            #expect(try await Self.free(12, organization, workers[1]) == 11)
            // One that Redis has heard of by the renewal only.
            try await first.run { worker in
                worker.gatekeeper.settle(more[1], tokens: 0)
                worker.gatekeeper.renewLeases()
            }
            try await Self.settled(workers)
            #expect(try await Self.free(12, organization, workers[1]) == 12)
        }
    }

    @Test func `a Redis that has forgotten everything is told what is under way`() async throws {
        try await withWorkers(2) { redis, workers in
            let organization = UUID.make()
            let permits = try await Self.occupy(3, organization, workers[0])
            try await redis.kill()
            try await redis.start()
            for worker in workers {
                try await worker.run { worker in try await eventually(worker.loop) { worker.client.isReady } }
            }
            try await workers[0].run { $0.gatekeeper.renewLeases() }
            try await eventually(redis.loop) { try await Self.free(5, organization, workers[1]) == 2 }
            #expect(permits.count == 3)
        }
    }

    // MARK: Slots

    private static func bounds(lease: Duration, patience: Duration = patience) -> Gatekeeper.Bounds {
        var bounds = Gatekeeper.Bounds()
        bounds.patience = patience
        bounds.lease = lease
        return bounds
    }

    private static func occupy(_ count: Int, _ organization: UUID, _ worker: Worker) async throws -> [Permit]
    {
        try await worker.run { worker in
            let list = worker.list(organization, count)
            var permits: [Permit] = []
            try await eventually(worker.loop) {
                // Without patience the first may come too late.
                if let permit = await worker.admit(list).permit, !permit.isLocal { permits.append(permit) }
                return permits.count == count
            }
            return permits
        }
    }

    /// Takes all that are free, says how many those were, and gives them back.
    private static func free(_ limit: Int, _ organization: UUID, _ worker: Worker) async throws -> Int {
        let count = try await worker.run { worker in
            let list = worker.list(organization, limit)
            var permits: [Permit] = []
            while true {
                let verdict = await worker.admit(list)
                if let permit = verdict.permit {
                    if permit.isLocal {
                        worker.gatekeeper.settle(permit, tokens: 0)
                    } else {
                        permits.append(permit)
                    }
                } else if verdict.refusal?.isLocal != true {
                    break
                }
                if verdict.permit?.isLocal ?? verdict.refusal?.isLocal ?? false {
                    try await worker.loop.sleep(for: .milliseconds(5))
                }
            }
            for permit in permits { worker.gatekeeper.settle(permit, tokens: 0) }
            return permits.count
        }
        try await settled([worker])
        return count
    }

    /// Waits until Redis has done what it was told.
    private static func settled(_ workers: [Worker]) async throws {
        for worker in workers { _ = try await worker.run { try await $0.now() } }
    }
}

extension Worker {
    fileprivate func list(_ organization: UUID, _ limit: Int) -> SubjectList {
        gatekeeper.subjects([(.organization, Limits(concurrent: limit))], at: .organization(organization))
    }
}
