import Base
import Cache
import Redis
import TestKit
import Testing

struct CacheLeaseTests {
    @Test func `one has the lease, and others learn who`() async throws {
        try await CacheWorld.run { world in
            let (store, organization, key) = (world.store, world.organization, world.key(1))
            func take(_ token: UInt8) async throws -> CacheStore.Lease {
                try await store.lease(key, of: organization, token: [token, 0, 0xFF], milliseconds: 60_000)
                    .lease
            }
            #expect(try await take(1) == .taken)
            #expect(try await take(2) == .held(by: [1, 0, 0xFF]))
            // Who asks twice, because no reply came, still has it.
            #expect(try await take(1) == .taken)
            let elsewhere = try await store.lease(key, of: .make(), token: [2], milliseconds: 60_000).lease
            #expect(elsewhere == .taken)
        }
    }

    @Test func `a lease is extended and given back only by who has it`() async throws {
        try await CacheWorld.run { world in
            let (store, organization, key) = (world.store, world.organization, world.key(1))
            func extend(_ token: [UInt8]) async throws -> Bool {
                try await store.extendLease(key, of: organization, token: token, milliseconds: 90_000)
            }
            func release(_ token: [UInt8]) async throws -> Bool {
                try await store.releaseLease(key, of: organization, token: token)
            }
            #expect(try await extend([1]) == false)
            _ = try await store.lease(key, of: organization, token: [1], milliseconds: 10_000)
            let name = try await world.keys(like: "*:cl:*")[0]
            #expect(try await extend([2]) == false)
            #expect(try await world.send("PTTL", .text(name)).integer ?? 0 <= 10_000)
            #expect(try await extend([1]))
            #expect(try await world.send("PTTL", .text(name)).integer ?? 0 > 10_000)
            #expect(try await release([2]) == false)
            #expect(try await release([1]))
            #expect(try await release([1]) == false)
            #expect(try await world.keys() == [])
        }
    }

    @Test func `a lease that is not extended ends by itself`() async throws {
        try await CacheWorld.run { world in
            let (store, organization, key) = (world.store, world.organization, world.key(1))
            _ = try await store.lease(key, of: organization, token: [1], milliseconds: 30)
            try await world.eventually {
                try await store.lease(key, of: organization, token: [2], milliseconds: 60_000).lease
                    == .taken
            }
            #expect(try await store.extendLease(key, of: organization, token: [1], milliseconds: 1) == false)
        }
    }
}
