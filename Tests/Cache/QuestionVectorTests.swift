import Base
import Redis
import TestKit
import Testing

@testable import Cache

struct QuestionVectorTests {
    private static func cosine(_ one: [Float], _ other: [Float]) -> Double {
        func product(_ one: [Float], _ other: [Float]) -> Double {
            zip(one, other).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        return product(one, other) / (product(one, one) * product(other, other)).squareRoot()
    }

    private static func random(_ count: Int, near other: [Float]? = nil, _ source: inout SeededGenerator)
        -> [Float]
    {
        (0..<count).map { index in
            // About a normal distribution, as the numbers of models have.
            let own = (0..<6).reduce(Float(0)) { sum, _ in sum + Float.random(in: -1...1, using: &source) }
            return (other?[index] ?? 0) * 3 + own
        }
    }

    @Test(arguments: [256, 1536, 4096])
    func `how near two questions are is told to the last of four places`(count: Int) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var source = SeededGenerator(seed: seed)
        var largest = 0.0
        for _ in 0..<100 {
            var one = Self.random(count, &source)
            var other = Self.random(count, near: one, &source)
            // One number that is far larger than the others makes the steps coarse.
            if Bool.random(using: &source) { one[0] *= 30 }
            if Bool.random(using: &source) { other[0] *= 30 }
            let exact = Self.cosine(one, other)
            let (left, right) = (
                try #require(QuestionVector(one)), try #require(QuestionVector(other))
            )
            let told = try #require(left.tenThousandths(to: right))
            largest = max(largest, abs(Double(told) - exact * 10_000))
        }
        // Half of it is the rounding to whole ten-thousandths.
        #expect(largest < 0.8, "seed \(seed): \(largest) ten-thousandths")
    }

    @Test func `a question is as near to itself as can be, and what is no direction is none`() throws {
        let vector = try #require(QuestionVector([0.6, -0.8, 0]))
        func near(_ numbers: [Float]) -> Int? {
            QuestionVector(numbers).flatMap { vector.tenThousandths(to: $0) }
        }
        #expect(near([0.6, -0.8, 0]) == 10_000)
        #expect(near([-6, 8, 0]) == -10_000)
        #expect(near([8, 6, 0]) == 0)
        #expect(near([1, 0]) == nil)
        let none: [[Float]] = [
            [], [0, 0], [.nan, 1], [.infinity, 1], [Float](repeating: 1, count: 4097),
        ]
        for numbers in none { #expect(QuestionVector(numbers) == nil) }
    }

    @Test
    func `questions that are near are found, the nearest first, those of the frame and organization alone`()
        async throws
    {
        try await CacheWorld.run { world in
            let frame = world.key(100)
            for (number, cosine) in [0.99, 0.94, 0.95, 1].enumerated() {
                #expect(try await world.note(cosine, number, in: frame))
            }
            #expect(try await world.note(1, 9, in: world.key(101)))
            let one = try #require(QuestionVector([1, 0]))
            let known = try await world.store.questions(in: frame, of: world.organization)
            let near = CacheStore.neighbours(
                of: one, among: known + [.bytes([1]), .null], thresholdThousandths: 950)
            #expect(near.map(\.key) == [3, 0, 2].map(world.key))
            #expect(near.map(\.tenThousandths) == [10_000, 9_900, 9_500])
            #expect(try await world.store.questions(in: frame, of: .make()).isEmpty)
            try await world.store.forget(near[0], in: frame, of: world.organization)
            let left = try await world.store.questions(in: frame, of: world.organization)
            #expect(left.count == 3)
        }
    }

    @Test func `of a frame the newest are known, and none whose answer has ended`() async throws {
        try await CacheWorld.run { world in
            let frame = world.key(100)
            for number in 0..<210 {
                // The later the longer.
                _ = try await world.note(1, number, in: frame, lifetimeSeconds: 100 + number)
            }
            let known = try await world.store.questions(in: frame, of: world.organization)
            #expect(known.count == CacheStore.largestFrame)
            let keys = known.compactMap { $0.bytes.map { CacheKey(bytes: Array($0.prefix(32))) } }
            #expect(Set(keys) == Set((10..<210).map(world.key)))
            let names = try await world.keys(like: "*cv*")
            let left = try await world.send("TTL", .text(names[0])).integer ?? 0
            #expect((300...309).contains(left))
            // The same question again is no further one.
            _ = try await world.note(1, 209, in: frame, lifetimeSeconds: 500)
            let again = try await world.store.questions(in: frame, of: world.organization)
            #expect(again.count == CacheStore.largestFrame)
            #expect(again.last?.bytes?.prefix(32).elementsEqual(world.key(209).bytes) == true)
        }
    }

    @Test func `a purge takes all questions, and keeps those from being noted that came before it`()
        async throws
    {
        try await CacheWorld.run { world in
            for purge in [CacheStore.Purge.all, .model("m")] {
                let before = try await world.generation()
                for number in 0..<1200 {
                    _ = try await world.note(1, number, in: world.key(number), generation: before)
                }
                #expect(try await world.keys(like: "*:c[vf]:*").count == 1201)
                _ = try await world.store.purge(purge, of: world.organization)
                #expect(try await world.keys(like: "*:c[vf]:*").isEmpty)
                #expect(try await !world.note(1, 1, in: world.key(1), generation: before))
                #expect(try await world.keys(like: "*:c[vf]:*").isEmpty)
            }
        }
    }
}

extension CacheWorld {
    fileprivate func note(
        _ cosine: Double, _ number: Int, in frame: CacheKey, lifetimeSeconds: Int = 600,
        generation: Int64? = nil
    ) async throws -> Bool {
        let rest = (1 - cosine * cosine).squareRoot()
        let vector = try #require(QuestionVector([Float(cosine), Float(rest)]))
        let read = try await self.generation()
        return try await store.note(
            vector, of: key(number), in: frame, of: organization, lifetimeSeconds: lifetimeSeconds,
            generation: generation ?? read)
    }
}
