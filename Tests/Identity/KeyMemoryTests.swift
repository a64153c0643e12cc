import Base
import TestKit
import Testing

@testable import Identity

struct KeyMemoryTests {
    private static func caller(of organization: UUID = .make()) -> KnownCaller {
        KnownCaller(
            Caller(
                organization: organization, user: .make(), role: .member, key: .make(), scopes: .inference),
            generation: 1)
    }

    private static func digest(_ random: inout SeededGenerator) throws -> KeyDigest {
        try #require(KeyDigest(bytes: (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }))
    }

    private func isKnown(_ digest: KeyDigest, in memory: KeyMemory) -> Bool {
        if case .known = memory.recall(digest) { true } else { false }
    }

    /// How many of them would be taken at their word.
    private func believed(_ digests: [KeyDigest], in memory: KeyMemory) -> Int {
        digests.count { digest in
            guard case .known(let entry, _) = memory.recall(digest) else { return false }
            return entry.reached <= entry.known.generation
        }
    }

    private static let now = Instant(nanoseconds: 1_000_000)

    @Test func `a table holds what a dictionary would, up to its capacity and never more`() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        var table = ClockTable<Int, Int>(capacity: 50)
        var model: [Int: Int] = [:]
        for step in 0..<20_000 {
            let key = Int.random(in: 0..<90, using: &random)
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<50:
                table.set(step, for: key)
                model[key] = step
            case 50..<75:
                table.remove(key)
                model[key] = nil
            case 75:
                let limit = step - 200
                table.updateAll { if $0 < limit { $0 = limit } }
                model = model.mapValues { max($0, limit) }
            default:
                // What made room is gone; what is there is right.
                let found = table.value(for: key)
                #expect(found == nil || found == model[key], "seed \(seed), step \(step)")
                if found == nil { model[key] = nil }
            }
            #expect(table.count <= 50, "seed \(seed), step \(step)")
        }
        for key in 0..<90 where model[key] == nil {
            #expect(table.value(for: key) == nil, "seed \(seed), key \(key)")
        }
    }

    @Test func `a hundred thousand keys are all known at once`() throws {
        let memory = KeyMemory()
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        let digests = try (0..<100_000).map { _ in try Self.digest(&random) }
        for digest in digests { memory.learn(Self.caller(), of: digest, loadedAt: Self.now) }
        #expect(digests.count(where: { !isKnown($0, in: memory) }) == 0, "seed \(seed)")
    }

    @Test func `of more keys than there is room for, those in use stay`() throws {
        let memory = KeyMemory(knownCapacity: 2_000, nobodyCapacity: 100)
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        let inUse = try (0..<200).map { _ in try Self.digest(&random) }
        for digest in inUse { memory.learn(Self.caller(), of: digest, loadedAt: Self.now) }
        for _ in 0..<100 {
            for _ in 0..<500 {
                memory.learn(Self.caller(), of: try Self.digest(&random), loadedAt: Self.now)
            }
            #expect(inUse.count(where: { !isKnown($0, in: memory) }) == 0, "seed \(seed)")
        }
        #expect(memory.knownCount <= 2_250, "seed \(seed)")
    }

    @Test func `made-up keys take no room from known ones`() throws {
        let memory = KeyMemory(knownCapacity: 1_000, nobodyCapacity: 1_000)
        var random = SeededGenerator(seed: 1)
        let known = try Self.digest(&random)
        memory.learn(Self.caller(), of: known, loadedAt: Self.now)
        for _ in 0..<10_000 { memory.learn(nil, of: try Self.digest(&random), loadedAt: Self.now) }
        #expect(isKnown(known, in: memory))
        #expect(memory.nobodyCount <= 1_125)
    }

    @Test func `a change of one organization leaves the keys of others`() async throws {
        let memory = KeyMemory()
        var random = SeededGenerator(seed: 2)
        let (changed, other) = (UUID.make(), UUID.make())
        let theirs = try (0..<100).map { _ in try Self.digest(&random) }
        let others = try (0..<100).map { _ in try Self.digest(&random) }
        for digest in theirs { memory.learn(Self.caller(of: changed), of: digest, loadedAt: Self.now) }
        for digest in others { memory.learn(Self.caller(of: other), of: digest, loadedAt: Self.now) }
        await memory.overtake([changed: 1, other: 1])
        #expect(believed(theirs + others, in: memory) == 200, "all was read at that generation")
        await memory.overtake([changed: 2])
        #expect(believed(theirs, in: memory) == 0)
        #expect(believed(others, in: memory) == 100)
        #expect(memory.knownCount == 200, "that there are such keys is still known")
    }

    @Test func `an answer that read before what is known already does not replace it`() throws {
        let memory = KeyMemory()
        var random = SeededGenerator(seed: 3)
        let digest = try Self.digest(&random)
        var newer = Self.caller()
        newer.generation = 2
        memory.learn(newer, of: digest, loadedAt: Self.now)
        memory.learn(Self.caller(), of: digest, loadedAt: Self.now)
        guard case .known(let entry, _) = memory.recall(digest) else {
            Issue.record("it is not known")
            return
        }
        #expect(entry.known == newer)
    }
}
