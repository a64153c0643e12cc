import Base
import Glibc
import Identity
import Loop
import Postgres
import Redis
import TestKit
import Testing

/// Several processes on one PostgreSQL and one Redis, both real.
struct KeyGenerationTests {
    /// Makes a key, lets `other` get to know it, revokes it at `first`, and asks `other` at once; `count` times.
    private func revoke(_ count: Int, _ world: KeyWorld, listens: Bool) async throws {
        let first = try await world.process(listens: listens)
        let other = try await world.process(listens: listens)
        if listens { try await world.eventually { other.listener?.isReady == true } }
        for round in 0..<count {
            let key = try await world.makeKey()
            let caller = try #require(try await other.ring.caller(presenting: key))
            #expect(other.remembers(key))
            let generation = try await world.revoke(caller.key)
            #expect(generation == Int64(round + 1))
            await first.generations.announce(world.organization, generation)
            #expect(try await other.ring.caller(presenting: key) == nil, "round \(round)")
        }
        if !listens { #expect(other.listener == nil) }
        await first.close()
        await other.close()
    }

    @Test func `a thousand keys that one process revokes are refused by another on the very next request`()
        async throws
    {
        try await KeyWorld.run { try await revoke(1000, $0, listens: true) }
    }

    @Test func `a thousand revoked keys are refused also where no message comes through`() async throws {
        try await KeyWorld.run(redisArguments: ["--rename-command", "SUBSCRIBE", ""]) { world in
            let deaf = KeyChangeListener(try RedisURL(world.redis.url), SharedKeys(), on: world.loop)
            try await revoke(1000, world, listens: false)
            #expect(!deaf.isReady)
            deaf.close()
        }
    }

    @Test func `other keys of the organization go on, after one look-up each`() async throws {
        try await KeyWorld.run { world in
            let process = try await world.process()
            let (kept, revoked) = (try await world.makeKey(), try await world.makeKey())
            _ = try await process.ring.caller(presenting: kept)
            let caller = try #require(try await process.ring.caller(presenting: revoked))
            let generation = try await world.revoke(caller.key)
            await process.generations.announce(world.organization, generation)
            let before = process.loadCount
            for _ in 0..<5 { #expect(try await process.ring.caller(presenting: kept) != nil) }
            #expect(process.loadCount == before + 1)
            await process.close()
        }
    }

    @Test func `a message alone makes a process forget what has changed`() async throws {
        try await KeyWorld.run { world in
            let first = try await world.process()
            let other = try await world.process(listens: true)
            try await world.eventually { other.listener?.isReady == true }
            let key = try await world.makeKey()
            let caller = try #require(try await other.ring.caller(presenting: key))
            let generation = try await world.revoke(caller.key)
            await first.generations.announce(world.organization, generation)
            try await world.eventually { !other.remembers(key) }
            await first.close()
            await other.close()
        }
    }

    @Test func `of numbers that are announced in any order the largest stays`() async throws {
        try await KeyWorld.run { world in
            let processes = [try await world.process(), try await world.process()]
            let seed = UInt64.random(in: .min ... .max)
            var random = SeededGenerator(seed: seed)
            let numbers = (1...200).map(Int64.init).shuffled(using: &random)
            await withTaskGroup(of: Void.self) { group in
                for (index, number) in numbers.enumerated() {
                    group.addTask(executorPreference: world.loop) {
                        await processes[index % 2].generations.announce(world.organization, number)
                    }
                }
            }
            let reading = await processes[0].generations.current(world.organization)
            #expect(reading == .generation(200), "seed \(seed)")
            for process in processes { await process.close() }
        }
    }

    @Test func `what a flushed Redis has lost is put back by the next look-up`()
        async throws
    {
        try await KeyWorld.run { world in
            let process = try await world.process()
            let keys = [try await world.makeKey(), try await world.makeKey()]
            for key in keys { _ = try await process.ring.caller(presenting: key) }
            let caller = try #require(try await process.ring.caller(presenting: keys[0]))
            let generation = try await world.revoke(caller.key)
            await process.generations.announce(world.organization, generation)
            #expect(try await process.ring.caller(presenting: keys[1]) != nil)
            _ = try await process.redis.send(RedisCommand("FLUSHALL"), timeout: KeyWorld.patience)
            _ = try await process.redis.send(RedisCommand("FUNCTION", "FLUSH"), timeout: KeyWorld.patience)
            var reading = await process.generations.current(world.organization)
            #expect(reading == .none)
            let before = process.loadCount
            for _ in 0..<20 { #expect(try await process.ring.caller(presenting: keys[1]) != nil) }
            // The second comes before Redis has the function again.
            #expect((1...2).contains(process.loadCount - before))
            reading = await process.generations.current(world.organization)
            #expect(reading == .generation(generation))
            await process.close()
        }
    }

    @Test func `a Redis that takes no writes does not turn every request into a look-up`() async throws {
        try await KeyWorld.run { world in
            let process = try await world.process()
            let key = try await world.makeKey()
            _ = try await process.redis.send(
                RedisCommand("CONFIG", "SET", "maxmemory", "1"), timeout: KeyWorld.patience)
            for _ in 0..<20 { #expect(try await process.ring.caller(presenting: key) != nil) }
            // The first finds the key, perhaps a second finds out that its number cannot be written.
            #expect(process.loadCount <= 2)
            await process.close()
        }
    }

    @Test func `a change that Redis could not be told of is told when it is back`() async throws {
        try await KeyWorld.run { world in
            let first = try await world.process(isPatient: false)
            let other = try await world.process()
            let key = try await world.makeKey()
            let caller = try #require(try await other.ring.caller(presenting: key))
            try await world.redis.kill()
            let generation = try await world.revoke(caller.key)
            await first.generations.announce(world.organization, generation)
            // Meanwhile what is known goes on; the process that made the change knows better.
            #expect(try await other.ring.caller(presenting: key) != nil)
            #expect(try await first.ring.caller(presenting: key) == nil)
            try await world.redis.start()
            try await world.eventually {
                await other.generations.current(world.organization) == .generation(generation)
            }
            #expect(try await other.ring.caller(presenting: key) == nil)
            await first.close()
            await other.close()
        }
    }

    @Test func `known keys go on while Redis hangs, and while it is gone`() async throws {
        try await KeyWorld.run { world in
            let process = try await world.process(isPatient: false)
            let key = try await world.makeKey()
            _ = try await process.ring.caller(presenting: key)
            world.redis.send(signal: SIGSTOP)
            for _ in 0..<50 { #expect(try await process.ring.caller(presenting: key) != nil) }
            // One request found out; those behind it did not wait for Redis again.
            #expect(process.redis.health.timeoutCount <= 2)
            world.redis.send(signal: SIGCONT)
            try await world.redis.kill()
            for _ in 0..<50 { #expect(try await process.ring.caller(presenting: key) != nil) }
            await process.close()
        }
    }

    @Test func `a change whose announcement was lost is noticed when what is known gets old`() async throws {
        try await KeyWorld.run { world in
            let offset = Locked(Duration.zero)
            let time = TimeSource(
                instant: { .now() + offset.withLock { $0 } }, timestamp: TimeSource.live.timestamp)
            let process = try await world.process(time: time)
            let (key, kept) = (try await world.makeKey(), try await world.makeKey())
            let caller = try #require(try await process.ring.caller(presenting: key))
            _ = try await process.ring.caller(presenting: kept)
            // The process that revokes it dies before it can say so.
            let generation = try await world.revoke(caller.key)
            offset.withLock { $0 = KeyRing.Limits().freshness }
            #expect(try await process.ring.caller(presenting: key) == nil)
            // The look-up of another key tells everybody.
            _ = try await process.ring.caller(presenting: kept)
            let reading = await process.generations.current(world.organization)
            #expect(reading == .generation(generation))
            await process.close()
        }
    }

    @Test func `what a look-up finds is as new as the generation that it comes with`() async throws {
        try await KeyWorld.run { world in
            let process = try await world.process()
            let lookup = CallerLookup(process.pool)
            for _ in 0..<100 {
                let key = try await world.makeKey()
                let digests = world.peppers.digests(of: key)
                let caller = try #require(try await lookup.caller(of: digests)).caller
                let revocation = world.loop.spawn {
                    _ = try? await world.revoke(caller.key)
                }
                var found: [KnownCaller] = []
                while let known = try await lookup.caller(of: digests) { found.append(known) }
                await revocation.value
                let end = try await world.pool.transaction(tenant: world.organization) { transaction in
                    try await transaction.query("SELECT key_generation FROM organizations")[0]
                        .decode(Int64.self)
                }
                #expect(found.allSatisfy { $0.generation < end })
            }
            await process.close()
        }
    }
}
