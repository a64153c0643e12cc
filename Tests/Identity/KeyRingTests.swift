import Base
import Identity
import Loop
import TestKit
import Testing

struct KeyRingTests {
    private struct DatabaseIsAway: Error {}

    /// A database of one key, on a clock of its own.
    // Touched on one loop only.
    private final class World: @unchecked Sendable {
        var now = Instant(nanoseconds: 1_000_000_000_000)
        var wall = Timestamp(seconds: 1_000_000)
        var caller: Caller?
        var isAway = false
        var loadCount = 0

        var answerTakes = Duration.milliseconds(2)
        let memory = KeyMemory(capacity: 10)

        func ring(on loop: EventLoop, patience: Duration = .seconds(20)) throws -> KeyRing {
            var limits = KeyRing.Limits()
            limits.patience = patience
            return KeyRing(
                on: loop, peppers: try KeyPeppers(parsing: Secret("1:\(String(repeating: "p", count: 32))")),
                memory: memory, limits: limits,
                time: TimeSource(instant: { self.now }, timestamp: { self.wall }),
                load: { _ in
                    self.loadCount += 1
                    try await loop.sleep(for: self.answerTakes)
                    if self.isAway { throw DatabaseIsAway() }
                    return self.caller
                })
        }
    }

    private static let caller = Caller(
        organization: .make(), user: .make(), role: .member, key: .make(), scopes: ["inference"])

    @Test func `a known key costs one look-up however often it comes, and another once it is stale`()
        async throws
    {
        try await onLoop { loop in
            let world = World()
            world.caller = Self.caller
            let ring = try world.ring(on: loop)
            let key = APIKey.make()
            for _ in 0..<5 { #expect(try await ring.caller(presenting: key) == Self.caller) }
            #expect(world.loadCount == 1)
            world.now = world.now + .seconds(6)
            world.caller = nil
            #expect(try await ring.caller(presenting: key) == nil)
            #expect(world.loadCount == 2)
        }
    }

    @Test func `an unknown key is remembered as unknown`() async throws {
        try await onLoop { loop in
            let world = World()
            let ring = try world.ring(on: loop)
            let key = APIKey.make()
            for _ in 0..<5 { #expect(try await ring.caller(presenting: key) == nil) }
            #expect(world.loadCount == 1)
        }
    }

    @Test func `many requests with the same new key share one look-up`() async throws {
        try await onLoop { loop in
            let world = World()
            world.caller = Self.caller
            let ring = try world.ring(on: loop)
            let key = APIKey.make()
            try await withThrowingTaskGroup(of: Caller?.self) { group in
                for _ in 0..<50 { group.addTask { try await ring.caller(presenting: key) } }
                for try await caller in group { #expect(caller == Self.caller) }
            }
            #expect(world.loadCount == 1)
        }
    }

    @Test func `while the database is away a known key goes on for a minute and no longer`() async throws {
        try await onLoop { loop in
            let world = World()
            world.caller = Self.caller
            let ring = try world.ring(on: loop)
            let key = APIKey.make()
            _ = try await ring.caller(presenting: key)
            world.isAway = true
            world.now = world.now + .seconds(59)
            #expect(try await ring.caller(presenting: key) == Self.caller)
            await #expect(throws: DatabaseIsAway.self) { try await ring.caller(presenting: APIKey.make()) }
            world.now = world.now + .seconds(2)
            await #expect(throws: DatabaseIsAway.self) { try await ring.caller(presenting: key) }
        }
    }

    @Test func `a database that hangs delays a known key once, and then not again`() async throws {
        try await onLoop { loop in
            let world = World()
            world.caller = Self.caller
            let ring = try world.ring(on: loop, patience: .milliseconds(100))
            let key = APIKey.make()
            _ = try await ring.caller(presenting: key)
            world.answerTakes = .seconds(5)
            world.now = world.now + .seconds(6)
            #expect(try await ring.caller(presenting: key) == Self.caller)
            let loads = world.loadCount
            for _ in 0..<10 { #expect(try await ring.caller(presenting: key) == Self.caller) }
            #expect(world.loadCount == loads)
            await #expect(throws: KeyRing.Slow.self) { try await ring.caller(presenting: APIKey.make()) }
        }
    }

    @Test func `what one loop has learned the others know`() async throws {
        try await onLoop { loop in
            let world = World()
            world.caller = Self.caller
            let key = APIKey.make()
            _ = try await world.ring(on: loop).caller(presenting: key)
            world.isAway = true
            #expect(try await world.ring(on: loop).caller(presenting: key) == Self.caller)
        }
    }

    @Test func `a caller who leaves does not take the answer from the others`() async throws {
        try await onLoop { loop in
            let world = World()
            world.caller = Self.caller
            let ring = try world.ring(on: loop)
            let key = APIKey.make()
            let first = loop.spawn { _ = try? await ring.caller(presenting: key) }
            try await loop.sleep(for: .milliseconds(1))
            first.cancel()
            #expect(try await ring.caller(presenting: key) == Self.caller)
            #expect(world.loadCount == 1)
        }
    }

    @Test func `a key that has expired is refused from that moment on`() async throws {
        try await onLoop { loop in
            let world = World()
            var caller = Self.caller
            caller.expiresAt = world.wall + .seconds(1)
            world.caller = caller
            let ring = try world.ring(on: loop)
            let key = APIKey.make()
            #expect(try await ring.caller(presenting: key) == caller)
            world.wall = world.wall + .seconds(1)
            #expect(try await ring.caller(presenting: key) == nil)
        }
    }

    @Test func `made-up keys cannot fill the memory`() async throws {
        try await onLoop { loop in
            let world = World()
            let ring = try world.ring(on: loop)
            for _ in 0..<40 { _ = try await ring.caller(presenting: APIKey.make()) }
            #expect(world.memory.count <= 10)
        }
    }
}
