import Base
import Loop
import Redis
import TestKit
import Testing

@testable import Admission

/// What gatekeepers do without anybody asking.
struct WorkerCountTests {
    private static var quick: GatekeeperPulse.Intervals {
        var intervals = GatekeeperPulse.Intervals()
        intervals.beat = .milliseconds(10)
        intervals.workers = .milliseconds(20)
        intervals.leases = .milliseconds(50)
        return intervals
    }

    private static func gatekeeper(
        _ client: RedisClient, workers: Int = 1, _ change: (inout Gatekeeper.Bounds) -> Void = { _ in }
    ) -> Gatekeeper {
        var bounds = Gatekeeper.Bounds()
        bounds.patience = patience
        change(&bounds)
        return Gatekeeper(client, bounds: bounds, workers: workers)
    }

    /// Waits until `condition` holds, at most as long as a hang.
    private static func until(_ loop: EventLoop, _ condition: () -> Bool) async throws {
        let deadline = Instant.now() + patience
        while !condition() {
            try #require(Instant.now() < deadline, "it does not happen")
            try await loop.sleep(for: .milliseconds(5))
        }
    }

    @Test func `gatekeepers know how many there are, and who has left or died is none of them`() async throws
    {
        try await withRedis { _, client in
            let gatekeepers = (0..<3).map { _ in
                Self.gatekeeper(client) { $0.lifeOfWorker = .milliseconds(400) }
            }
            var pulses: [GatekeeperPulse?] = gatekeepers.map { GatekeeperPulse($0, Self.quick) }
            try await Self.until(client.loop) { gatekeepers.allSatisfy { $0.workerCount == 3 } }
            await pulses[0]?.close()
            try await Self.until(client.loop) { gatekeepers[1...].allSatisfy { $0.workerCount == 2 } }
            // It does not say that it goes.
            pulses[1] = nil
            try await Self.until(client.loop) { gatekeepers[2].workerCount == 1 }
            await pulses[2]?.close()
            let left = try await client.send(RedisCommand("EXISTS", "hg:{workers}"), timeout: patience)
            // The one that died, perhaps, until its time is over.
            if left.integer == 1 {
                let life = try await client.send(RedisCommand("PTTL", "hg:{workers}"), timeout: patience)
                #expect((0...800).contains(life.integer ?? -1))
            }
        }
    }

    @Test func `those of one's own process are known from the start, and all others while Redis is away`()
        async throws
    {
        try await withRedis { redis, client in
            let one = Self.gatekeeper(client, workers: 2)
            #expect(one.workerCount == 2)
            let others = (0..<3).map { _ in Self.gatekeeper(client) }
            let pulses = ([one] + others).map { GatekeeperPulse($0, Self.quick) }
            try await Self.until(client.loop) { one.workerCount == 4 }
            try await redis.kill()
            try await client.loop.sleep(for: .milliseconds(100))
            #expect(one.workerCount == 4)
            // Of 8 requests each of 4 may let 2 in.
            let list = one.subjects(
                [(.organization, Limits(requests: .init(day: 8)))], at: .organization(.make()))
            var admitted = 0
            for _ in 0..<5 {
                let request = AdmissionRequest(list, generation: nil)
                if case .admitted = await one.admit(request).verdict { admitted += 1 }
            }
            #expect(admitted == 2)
            for pulse in pulses { await pulse.close() }
        }
    }

    @Test func `what was admitted without Redis is told it when it is back, though no request comes`()
        async throws
    {
        try await withRedis { redis, client in
            let gatekeeper = Self.gatekeeper(client)
            let organization = UUID.make()
            let list = gatekeeper.subjects(
                [(.organization, Limits(requests: .init(day: 100)))], at: .organization(organization))
            let pulse = GatekeeperPulse(gatekeeper, Self.quick)
            try await redis.kill()
            for _ in 0..<3 { _ = await gatekeeper.admit(AdmissionRequest(list, generation: nil)) }
            #expect(gatekeeper.debtors.count == 1)
            try await redis.start()
            let other = Self.gatekeeper(client)
            let theirs = other.subjects(
                [(.organization, Limits(requests: .init(day: 100)))], at: .organization(organization))
            // Before the functions are there it cannot be told.
            _ = try await client.send(RedisCommand("PING"), timeout: patience, waitsForConnection: true)
            #expect(await other.admit(AdmissionRequest(theirs, generation: nil)).verdict.isAdmitted)
            try await Self.until(client.loop) { gatekeeper.debtors.isEmpty }
            let verdict = await other.admit(AdmissionRequest(theirs, generation: nil)).verdict
            guard case .admitted(let permit) = verdict else { throw RedisError(.closed) }
            #expect(permit.standing.requests?.remaining == 95)
            await pulse.close()
        }
    }

    @Test func `a request that is under way longer than a lease goes on counting`() async throws {
        try await withRedis { _, client in
            let one = Self.gatekeeper(client) { $0.lease = .milliseconds(300) }
            let two = Self.gatekeeper(client) { $0.lease = .milliseconds(300) }
            let organization = UUID.make()
            func list(_ gatekeeper: Gatekeeper) -> SubjectList {
                gatekeeper.subjects(
                    [(.organization, Limits(concurrent: 1))], at: .organization(organization))
            }
            let pulse = GatekeeperPulse(one, Self.quick)
            let verdict = await one.admit(AdmissionRequest(list(one), generation: nil)).verdict
            guard case .admitted(let permit) = verdict else { throw RedisError(.closed) }
            try await client.loop.sleep(for: .milliseconds(700))
            #expect(await !two.admit(AdmissionRequest(list(two), generation: nil)).verdict.isAdmitted)
            one.settle(permit, tokens: 0)
            #expect(await two.admit(AdmissionRequest(list(two), generation: nil)).verdict.isAdmitted)
            await pulse.close()
        }
    }
}

extension Gatekeeper.Verdict {
    fileprivate var isAdmitted: Bool { if case .admitted = self { true } else { false } }
}
