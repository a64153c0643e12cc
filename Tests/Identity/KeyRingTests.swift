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
        var generation: Int64 = 0
        var isAway = false
        var loadCount = 0
        var underWay = 0
        var mostUnderWay = 0

        var answerTakes = Duration.milliseconds(2)
        private(set) lazy var shared = SharedKeys(
            memory: KeyMemory(knownCapacity: 10, nobodyCapacity: 10), gate: UnknownKeyGate(time: time))
        private(set) lazy var time = TimeSource(instant: { self.now }, timestamp: { self.wall })

        func ring(on loop: EventLoop, patience: Duration = .seconds(20)) throws -> KeyRing {
            var limits = KeyRing.Limits()
            limits.patience = patience
            return KeyRing(
                on: loop, peppers: try KeyPeppers(parsing: Secret("1:\(String(repeating: "p", count: 32))")),
                shared: shared, limits: limits, time: time,
                load: { _ in
                    self.loadCount += 1
                    self.underWay += 1
                    self.mostUnderWay = max(self.mostUnderWay, self.underWay)
                    defer { self.underWay -= 1 }
                    // As of the beginning, as a snapshot is.
                    let found = self.caller.map { KnownCaller($0, generation: self.generation) }
                    try await loop.sleep(for: self.answerTakes)
                    if self.isAway { throw DatabaseIsAway() }
                    return found
                })
        }
    }

    private static let caller = Caller(
        organization: .make(), user: .make(), role: .member, key: .make(), scopes: .inference)

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

    @Test func `a key that comes all the time is looked up before it is stale, and nobody waits for that`()
        async throws
    {
        try await onLoop { loop in
            let world = World()
            world.caller = Self.caller
            let ring = try world.ring(on: loop)
            let key = APIKey.make()
            _ = try await ring.caller(presenting: key)
            world.answerTakes = .milliseconds(50)
            for round in 2...4 {
                world.now = world.now + .seconds(4)
                // While one look-up is under way no other begins.
                for _ in 0..<3 { #expect(try await ring.caller(presenting: key) == Self.caller) }
                #expect(world.underWay <= 1)
                try await loop.sleep(for: .milliseconds(100))
                #expect(world.loadCount == round)
            }
            // After one that failed there is a pause.
            world.now = world.now + .seconds(4)
            world.isAway = true
            for _ in 0..<3 {
                #expect(try await ring.caller(presenting: key) == Self.caller)
                try await loop.sleep(for: .milliseconds(100))
            }
            #expect(world.loadCount == 5)
        }
    }

    @Test func `an unknown key is remembered as unknown, for a second`() async throws {
        try await onLoop { loop in
            let world = World()
            let ring = try world.ring(on: loop)
            let key = APIKey.make()
            for _ in 0..<5 { #expect(try await ring.caller(presenting: key) == nil) }
            #expect(world.loadCount == 1)
            world.now = world.now + .seconds(1)
            world.caller = Self.caller
            #expect(try await ring.caller(presenting: key) == Self.caller)
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
            let caller = Caller(
                organization: .make(), user: .make(), role: .member, key: .make(), scopes: .inference,
                expiresAt: world.wall + .seconds(1))
            world.caller = caller
            let ring = try world.ring(on: loop)
            let key = APIKey.make()
            #expect(try await ring.caller(presenting: key) == caller)
            world.wall = world.wall + .seconds(1)
            #expect(try await ring.caller(presenting: key) == nil)
        }
    }

    // MARK: Generations

    /// Whom the ring remembers with `key`.
    private func known(_ key: APIKey, to ring: KeyRing) async throws -> Arrival {
        guard let arrival = try await ring.arrival(presenting: key) else { throw NotRemembered() }
        return arrival
    }
    private struct NotRemembered: Error {}

    @Test func `a key counts as long as its organization has seen no change, and is looked up after one`()
        async throws
    {
        try await onLoop { loop in
            let world = World()
            world.caller = Self.caller
            world.generation = 7
            let ring = try world.ring(on: loop)
            let key = APIKey.make()
            _ = try await ring.caller(presenting: key)
            world.caller = nil
            world.generation = 8
            let before = try await self.known(key, to: ring)
            #expect(try await ring.confirm(before, by: .generation(7)))
            #expect(try await !ring.confirm(before, by: .generation(8)))
            #expect(try await ring.caller(presenting: key) == nil)
            #expect(world.loadCount == 2)
        }
    }

    @Test func `a key that may be revoked gets no grace while the database is away`() async throws {
        try await onLoop { loop in
            let world = World()
            world.caller = Self.caller
            let ring = try world.ring(on: loop)
            let key = APIKey.make()
            _ = try await ring.caller(presenting: key)
            world.isAway = true
            let before = try await self.known(key, to: ring)
            await #expect(throws: DatabaseIsAway.self) {
                try await ring.confirm(before, by: .generation(1))
            }
            #expect(try await ring.confirm(before, by: .generation(0)))
            #expect(try await ring.confirm(before, by: .unavailable))
            #expect(try await ring.confirm(before, by: .none))
        }
    }

    @Test func `without the database a key goes on for longer where Redis says that nothing has changed`()
        async throws
    {
        try await onLoop { loop in
            let world = World()
            world.caller = Self.caller
            let ring = try world.ring(on: loop)
            let key = APIKey.make()
            _ = try await ring.caller(presenting: key)
            world.isAway = true
            func confirm(by reading: KeyGenerations.Reading) async throws -> Bool {
                try await ring.confirm(self.known(key, to: ring), by: reading)
            }
            world.now = world.now + .seconds(61)
            await #expect(throws: DatabaseIsAway.self) { try await confirm(by: .unavailable) }
            await #expect(throws: DatabaseIsAway.self) { try await confirm(by: .none) }
            #expect(try await confirm(by: .generation(0)))
            // Redis may be silent for a while, but not for long.
            world.now = world.now + .seconds(59)
            #expect(try await confirm(by: .unavailable))
            world.now = world.now + .seconds(2)
            await #expect(throws: DatabaseIsAway.self) { try await confirm(by: .unavailable) }
            world.now = world.now + .seconds(470)
            #expect(try await confirm(by: .generation(0)))
            world.now = world.now + .seconds(61)
            await #expect(throws: DatabaseIsAway.self) { try await confirm(by: .generation(0)) }
        }
    }

    @Test func `a look-up that began before a change does not answer for what came after it`() async throws {
        try await onLoop { loop in
            let world = World()
            world.caller = Self.caller
            let ring = try world.ring(on: loop)
            let key = APIKey.make()
            _ = try await ring.caller(presenting: key)
            let before = try await self.known(key, to: ring)
            // One that is under way has read already when the key is revoked.
            world.now = world.now + .seconds(6)
            world.answerTakes = .milliseconds(50)
            let early = loop.spawn { _ = try? await ring.caller(presenting: key) }
            try await loop.sleep(for: .milliseconds(5))
            world.caller = nil
            world.generation = 1
            #expect(try await !ring.confirm(before, by: .generation(1)))
            await early.value
            #expect(try await ring.caller(presenting: key) == nil)
        }
    }

    // MARK: Made-up keys

    @Test func `made-up keys cannot fill the memory, nor push out what is known`() async throws {
        try await onLoop { loop in
            let world = World()
            let ring = try world.ring(on: loop)
            let key = APIKey.make()
            world.caller = Self.caller
            _ = try await ring.caller(presenting: key)
            world.caller = nil
            for _ in 0..<40 { _ = try await ring.caller(presenting: APIKey.make()) }
            #expect(world.shared.memory.nobodyCount == 10)
            #expect(try await ring.caller(presenting: key) == Self.caller)
            #expect(world.loadCount == 41)
        }
    }

    /// How many seconds a refused caller is told to wait; `nil` if it was not refused.
    private func refusal(_ ring: KeyRing, _ address: IPAddress?) async throws -> Int? {
        do {
            _ = try await ring.caller(presenting: .make(), from: address)
            return nil
        } catch let problem as Problem {
            #expect(problem.kind == .rateLimited && problem.code == "too_many_unknown_keys")
            return problem.retryAfterSeconds
        }
    }

    @Test func `a flood of made-up keys costs few look-ups, and others are served meanwhile`() async throws {
        try await onLoop { loop in
            let world = World()
            world.answerTakes = .zero
            let ring = try world.ring(on: loop)
            let attacker = IPAddress("192.0.2.1")
            let known = APIKey.make()
            world.caller = Self.caller
            _ = try await ring.caller(presenting: known, from: attacker)
            world.caller = nil

            var refused = 0
            for _ in 0..<1000 { if try await self.refusal(ring, attacker) == 1 { refused += 1 } }
            #expect(refused == 1000 - UnknownKeyGate.missesPerSecondOfAddress)
            #expect(world.loadCount == 1 + UnknownKeyGate.missesPerSecondOfAddress)
            #expect(try await ring.caller(presenting: known, from: attacker) == Self.caller)
            // Somebody else's new key is found.
            world.caller = Self.caller
            #expect(try await ring.caller(presenting: .make(), from: IPAddress("192.0.2.2")) == Self.caller)
            world.caller = nil
            // Whoever waits as long as told is heard again.
            world.now = world.now + .seconds(1)
            #expect(try await self.refusal(ring, attacker) == nil)
        }
    }

    @Test func `a flood from everywhere is bounded for the process, and one network counts as one address`()
        async throws
    {
        try await onLoop { loop in
            let world = World()
            world.answerTakes = .zero
            let ring = try world.ring(on: loop)
            for host in 0..<500 {
                _ = try await self.refusal(ring, IPAddress("2001:db8::\(String(host, radix: 16))"))
            }
            #expect(world.loadCount == UnknownKeyGate.missesPerSecondOfAddress)
            for host in 0..<500 {
                _ = try await self.refusal(ring, IPAddress("10.0.\(host / 250).\(host % 250)"))
            }
            #expect(world.loadCount == UnknownKeyGate.missesPerSecond)
            #expect(try await self.refusal(ring, nil) == 1)
        }
    }

    @Test func `keys that turn out to be somebody's are looked up without a limit`() async throws {
        try await onLoop { loop in
            let world = World()
            world.caller = Self.caller
            world.answerTakes = .zero
            let ring = try world.ring(on: loop)
            for _ in 0..<1000 {
                let caller = try await ring.caller(presenting: .make(), from: IPAddress("192.0.2.1"))
                #expect(caller == Self.caller)
            }
        }
    }

    @Test func `few unknown keys are looked up at once, some wait, and more are refused`() async throws {
        try await onLoop { loop in
            let world = World()
            world.answerTakes = .milliseconds(20)
            let ring = try world.ring(on: loop)
            let limits = KeyRing.Limits()
            let places = limits.unknownAtOnce + limits.unknownWaiting
            try await withThrowingTaskGroup(of: Int?.self) { group in
                for _ in 0..<places + 10 {
                    group.addTask(executorPreference: loop) { try await self.refusal(ring, nil) }
                }
                var refused = 0
                for try await wait in group where wait == 1 { refused += 1 }
                #expect(refused == 10)
            }
            #expect(world.mostUnderWay == limits.unknownAtOnce)
            #expect(world.loadCount == places)
        }
    }

    @Test func `look-ups that hang keep their places when those who asked have left`() async throws {
        try await onLoop { loop in
            let world = World()
            world.answerTakes = .milliseconds(300)
            let ring = try world.ring(on: loop, patience: .milliseconds(20))
            for _ in 0..<6 {
                await #expect(throws: KeyRing.Slow.self) { try await ring.caller(presenting: .make()) }
            }
            #expect(world.loadCount == KeyRing.Limits().unknownAtOnce)
            try await loop.sleep(for: .milliseconds(600))
            world.answerTakes = .zero
            #expect(try await ring.caller(presenting: .make()) == nil)
        }
    }
}
