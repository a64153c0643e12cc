import Base
import Loop
import Redis
import TestKit
import Testing

@testable import Cache

struct CachePurgeTests {
    @Test func `an answer that was being made while a purge came is not kept`() async throws {
        try await CacheWorld.run { world in
            for purge in [CacheStore.Purge.all, .model("another"), .key(world.key(9))] {
                let generation = try await world.generation()
                #expect(try await world.store.purge(purge, of: world.organization) == 0)
                let isStored = try await world.put("old", world.key(1), generation: generation)
                #expect(!isStored)
                #expect(try await world.lookUp(world.key(1)) == .none)
            }
            // What is looked up after it is.
            let isStored = try await world.put("new", world.key(1))
            #expect(isStored)
        }
    }

    @Test func `generations do not come again, whatever Redis has lost`() async throws {
        try await CacheWorld.run { world in
            var seen: Set<Int64> = [0]
            for _ in 0..<20 {
                _ = try await world.store.purge(.all, of: world.organization)
                let generation = try await world.generation()
                #expect(seen.insert(generation).inserted)
                _ = try await world.send("FLUSHALL")
            }
            // Nor where the clock was set back.
            let name = "hg:{\(world.organization.description.suffix(2))}:o:\(world.organization)"
            _ = try await world.send("HSET", .text(name), "x", "8000000000000000")
            _ = try await world.store.purge(.all, of: world.organization)
            #expect(try await world.generation() == 8_000_000_000_000_001)
        }
    }

    @Test func `other fields of the organization are left alone`() async throws {
        try await CacheWorld.run { world in
            let name = "hg:{\(world.organization.description.suffix(2))}:o:\(world.organization)"
            _ = try await world.send("HSET", .text(name), "limits", "7")
            _ = try await world.store.purge(.all, of: world.organization)
            #expect(try await world.send("HGET", .text(name), "limits").string == "7")
        }
    }

    @Test(arguments: [40, 1700])
    func `a purge takes what is meant and nothing else`(count: Int) async throws {
        try await CacheWorld.run { world in
            let stranger = UUID.make()
            for number in 0..<count {
                // One model's name is the beginning of the other's.
                let model = number % 3 == 0 ? "openai/gpt-5" : "openai/gpt-5-mini"
                try await world.put("x", world.key(number), model: model)
            }
            try await world.put("x", world.key(0), of: stranger)
            let thirds = (count + 2) / 3

            #expect(try await world.store.purge(.key(world.key(1)), of: world.organization) == 1)
            #expect(try await world.lookUp(world.key(1)) == .none)
            #expect(try await world.keys(like: "*:c:*").count == count)

            #expect(try await world.store.purge(.model("openai/gpt"), of: world.organization) == 0)
            #expect(try await world.store.purge(.model("openai/gpt-5"), of: world.organization) == thirds)
            #expect(try await world.lookUp(world.key(3)) == .none)
            let kept = world.answer("x", model: "openai/gpt-5-mini")
            #expect(try await world.lookUp(world.key(2)) == .found(kept))
            #expect(try await world.keys(like: "*:c:*").count == count - thirds)

            #expect(try await world.store.purge(.all, of: world.organization) == count - thirds - 1)
            #expect(try await world.keys(like: "*:c:*").count == 1)
            #expect(try await world.keys(like: "*:ci:*").count == 1)
            #expect(try await world.lookUp(world.key(0), of: stranger) == .found(world.answer("x")))
            #expect(try await world.store.purge(.all, of: world.organization) == 0)
        }
    }

    /// What the answers are made of, and how often it has changed. After a purge nothing older may be found.
    private final class Truth: Sendable {
        let version = Locked(0)
        let isOver = Locked(false)
        let storedCount = Locked(0)
        let refusedCount = Locked(0)
    }

    /// Makes answers as a process does: looks up, takes its time, stores.
    private static func makeAnswers(
        _ world: CacheWorld, _ store: CacheStore, _ truth: Truth, on loop: EventLoop, seed: UInt64
    ) async throws {
        var random = SeededGenerator(seed: seed)
        while !truth.isOver.withLock({ $0 }) {
            let key = world.key(Int(random.next() % 700))
            let reply = try await store.generation(of: world.organization)
            let version = truth.version.withLock { $0 }
            if random.next() % 3 == 0 {
                try await loop.sleep(for: .microseconds(Int64(random.next() % 3000)))
            }
            let isStored = try await store.store(
                world.answer("\(version)").encoded(), as: key, of: world.organization, model: "m",
                lifetimeSeconds: 600, generation: reply)
            (isStored ? truth.storedCount : truth.refusedCount).withLock { $0 += 1 }
        }
    }

    @Test func `nothing from before a purge is found after it, however many are at work`() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        try await CacheWorld.run { world in
            let truth = Truth()
            let group = try LoopGroup(count: 3, name: "maker")
            try group.start()
            let makers = group.loops.enumerated().map { number, loop in
                Task(executorPreference: loop) {
                    let client = try await CacheWorld.client(world.redis, on: loop)
                    defer { client.close() }
                    let store = CacheStore(client, limits: CacheWorld.patientLimits)
                    try await withThrowingTaskGroup(of: Void.self) { tasks in
                        for task in 0..<8 {
                            tasks.addTask(executorPreference: loop) {
                                let seed = seed &+ UInt64(number * 100 + task)
                                try await Self.makeAnswers(world, store, truth, on: loop, seed: seed)
                            }
                        }
                        try await tasks.waitForAll()
                    }
                }
            }
            var random = SeededGenerator(seed: seed)
            for round in 0..<40 {
                try await world.loop.sleep(for: .milliseconds(Int64(random.next() % 20)))
                let version = truth.version.withLock { version in
                    version += 1
                    return version
                }
                let purge: CacheStore.Purge = random.next() % 2 == 0 ? .all : .model("m")
                _ = try await world.store.purge(purge, of: world.organization)
                let lookups = try await world.client.pipeline(
                    (0..<700).map { CacheStore.getCommand(world.key($0), of: world.organization) })
                for case .found(let answer) in lookups.map(CacheLookup.init) {
                    guard case .forwarded(_, _, _, let bytes) = answer.content else { continue }
                    let found = Int(String(decoding: bytes, as: UTF8.self)) ?? -1
                    #expect(found >= version, "round \(round), seed \(seed)")
                }
            }
            truth.isOver.withLock { $0 = true }
            for maker in makers { try await maker.value }
            // Both happened, or nothing was tried.
            #expect(truth.storedCount.withLock { $0 } > 100)
            #expect(truth.refusedCount.withLock { $0 } > 0, "seed \(seed)")
            await Task.detached { group.stop() }.value
        }
    }
}

extension CacheStore {
    fileprivate func generation(of organization: UUID) async throws -> Int64 {
        let reply = try await redis.send(CacheStore.generationCommand(of: organization))
        return try #require(CacheStore.generation(reply))
    }
}
