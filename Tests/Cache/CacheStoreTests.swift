import Base
import Cache
import Redis
import TestKit
import Testing

struct CacheStoreTests {
    @Test func `an answer that is stored is found, by its organization alone`() async throws {
        try await CacheWorld.run { world in
            let key = world.key(1)
            #expect(try await world.lookUp(key) == .none)
            let isStored = try await world.put("hello", key)
            #expect(isStored)
            #expect(try await world.lookUp(key) == .found(world.answer("hello")))
            #expect(try await world.lookUp(world.key(2)) == .none)
            #expect(try await world.lookUp(key, of: .make()) == .none)
            // The other half of the id is the same.
            let neighbour = UUID(high: world.organization.high ^ 1, low: world.organization.low)
            #expect(try await world.lookUp(key, of: neighbour) == .none)
            try await world.put("other", key)
            #expect(try await world.lookUp(key) == .found(world.answer("other")))
        }
    }

    @Test func `an answer is gone when its time is over`() async throws {
        try await CacheWorld.run { world in
            let key = world.key(1)
            let isStored = try await world.store.store(
                world.answer("x").encoded(), as: key, of: world.organization, model: "m", lifetimeSeconds: 1,
                generation: 0)
            #expect(isStored)
            try await world.eventually { try await world.lookUp(key) == .none }
            // And what stands for it in the index goes when the next one comes.
            let index = try #require(try await world.keys(like: "*:ci:*").first)
            try await world.eventually {
                try await world.put("y", world.key(2))
                return try await world.send("ZCARD", .text(index)).integer == 1
            }
        }
    }

    @Test func `all that is kept of an organization lies in one slot, and none of it for ever`() async throws
    {
        try await CacheWorld.run { world in
            try await world.put("x", world.key(1))
            _ = try await world.store.lease(
                world.key(2), of: world.organization, token: [1], milliseconds: 60_000)
            let id = world.organization.description
            let bucket = id.suffix(2)
            let digest = "01000000" + String(repeating: "a5", count: 28)
            let other = "02000000" + String(repeating: "a5", count: 28)
            #expect(
                try await world.keys() == [
                    "hg:{\(bucket)}:c:\(id):\(digest)", "hg:{\(bucket)}:ci:\(id)",
                    "hg:{\(bucket)}:cl:\(id):\(other)",
                ])
            for key in try await world.keys() {
                let left = try await world.send("PTTL", .text(key)).integer ?? 0
                #expect(left > 0, "\(key)")
            }
            _ = try await world.store.purge(.all, of: world.organization)
            #expect(
                try await world.keys() == ["hg:{\(bucket)}:cl:\(id):\(other)", "hg:{\(bucket)}:o:\(id)"])
        }
    }

    @Test func `the index lives as long as what is in it`() async throws {
        try await CacheWorld.run { world in
            func store(_ number: Int, _ seconds: Int) async throws -> Int {
                _ = try await world.store.store(
                    world.answer("x").encoded(), as: world.key(number), of: world.organization, model: "m",
                    lifetimeSeconds: seconds, generation: 0)
                let index = try await world.keys(like: "*:ci:*")[0]
                return try await world.send("PTTL", .text(index)).integer ?? 0
            }
            let first = try await store(1, 1000)
            #expect(first > 1_000_000)
            // One that is shorter does not shorten it.
            let shorter = try await store(2, 10)
            #expect(shorter > 1_000_000)
            let longer = try await store(3, 2_592_000)
            #expect(longer > 2_592_000_000)
        }
    }

    @Test func `what has ended leaves the index little by little`() async throws {
        try await CacheWorld.run { world in
            try await world.put("x", world.key(1))
            let index = try await world.keys(like: "*:ci:*")[0]
            var add = RedisCommand("ZADD")
            add.add(index)
            for number in 0..<400 {
                add.add(1000 + number)
                add.add("ended \(number)")
            }
            _ = try await world.client.send(add)
            var before = 401
            var number = 1
            try await world.eventually {
                number += 1
                try await world.put("x", world.key(number))
                let count = try await world.send("ZCARD", .text(index)).integer ?? 0
                // One write in 16 takes some with it, and never all of many.
                #expect(count == before + 1 || count == max(before - 320, number - 1) + 1)
                before = count
                return count == number
            }
        }
    }

    @Test func `an organization has so many answers and no more`() async throws {
        var limits = CacheWorld.patientLimits
        limits.entryCount = 3
        try await CacheWorld.run(limits) { world in
            for number in 1...3 {
                let isStored = try await world.put("x", world.key(number))
                #expect(isStored)
            }
            let isStored = try await world.put("x", world.key(4))
            #expect(!isStored)
            #expect(try await world.lookUp(world.key(4)) == .none)
            // One that is there may be renewed.
            let isRenewed = try await world.put("y", world.key(2))
            #expect(isRenewed)
            // Another organization has its own.
            let isOthers = try await world.put("x", world.key(4), of: .make())
            #expect(isOthers)
        }
    }

    @Test func `what is too large, or has no time, is not sent`() async throws {
        try await CacheWorld.run { world in
            let huge = [UInt8](repeating: 0, count: CacheStore.largestEntryBytes + 1)
            for (entry, seconds) in [(huge, 60), ([UInt8(0)], 0), ([UInt8(0)], -5)] {
                let isStored = try await world.store.store(
                    entry, as: world.key(1), of: world.organization, model: "m", lifetimeSeconds: seconds,
                    generation: 0)
                #expect(!isStored)
            }
            #expect(try await world.keys() == [])
        }
    }

    @Test func `what is no answer is said to be damaged, and is overwritten`() async throws {
        try await CacheWorld.run { world in
            try await world.put("x", world.key(1))
            let name = try await world.keys(like: "*:c:*")[0]
            _ = try await world.send("SETRANGE", .text(name), 20, "!!!!")
            #expect(try await world.lookUp(world.key(1)) == .damaged)
            _ = try await world.send("DEL", .text(name))
            _ = try await world.send("LPUSH", .text(name), "x")
            #expect(try await world.lookUp(world.key(1)) == .damaged)
            try await world.put("y", world.key(1))
            #expect(try await world.lookUp(world.key(1)) == .found(world.answer("y")))
        }
    }

    @Test func `replies that are no answers to a look-up are not taken for one`() {
        #expect(CacheLookup(.null) == .none)
        #expect(CacheLookup(.bytes([])) == .damaged)
        #expect(CacheLookup(.integer(1)) == .unavailable)
        #expect(CacheLookup(.error(RedisServerError("LOADING Redis is loading"))) == .unavailable)
        #expect(CacheStore.generation(.null) == 0)
        #expect(CacheStore.generation(.bytes(Array("17".utf8))) == 17)
        #expect(CacheStore.generation(.error(RedisServerError("LOADING"))) == nil)
        #expect(CacheStore.generation(.bytes([])) == nil)
    }
}
