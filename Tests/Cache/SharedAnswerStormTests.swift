import Base
import Loop
import TestKit
import Testing

@testable import Cache

/// Many readers, makers and threads at once.
struct SharedAnswerStormTests {
    private struct Broken: Error {}

    private static func withLoops(
        _ count: Int, _ body: @Sendable @escaping ([EventLoop]) async throws -> Void
    ) async throws {
        let group = try LoopGroup(count: count, name: "storm")
        try group.start()
        let result = await Task { try await body(group.loops) }.result
        await Task.detached { group.stop() }.value
        try result.get()
    }

    /// What one reader came to.
    private enum Fate: Sendable {
        case complete([UInt8])
        case cancelled([UInt8])
        case refused, fellBehind
        case failed([UInt8])
    }

    private static func read(_ answer: SharedAnswer, on loop: EventLoop, seed: UInt64) async -> Fate {
        var random = SeededGenerator(seed: seed)
        try? await loop.sleep(for: .microseconds(Int64(random.next() % 5000)))
        guard let reader = answer.subscribe(on: loop) else { return .refused }
        var all: [UInt8] = []
        let end = random.next() % 4 == 0 ? Int(random.next() % 40) : .max
        let isSlow = random.next() % 5 == 0
        do throws(SharedAnswerFailure) {
            if random.next() % 2 == 0 { _ = try await reader.head() }
            for _ in 0..<end {
                guard let piece = try await reader.next() else { return .complete(all) }
                all += piece
                if isSlow { try? await loop.sleep(for: .microseconds(Int64(random.next() % 500))) }
            }
            if random.next() % 2 == 0 { reader.leave() }
            return .cancelled(all)
        } catch {
            switch error {
            case .fellBehind: return .fellBehind
            case .cancelled: return .cancelled(all)
            case .neverBegan, .brokeOff: return .failed(all)
            }
        }
    }

    private static func read(_ reader: SharedAnswer.Reader) async -> Fate {
        var all: [UInt8] = []
        do throws(SharedAnswerFailure) {
            while let piece = try await reader.next() { all += piece }
            return .complete(all)
        } catch {
            if case .fellBehind = error { return .fellBehind }
            return .failed(all)
        }
    }

    private static func make(
        _ answer: SharedAnswer, _ pieces: [[UInt8]], on loop: EventLoop, seed: UInt64, fails: Bool
    ) async throws {
        var random = SeededGenerator(seed: seed)
        answer.begin("7")
        for piece in pieces {
            if random.next() % 3 == 0 { try await loop.sleep(for: .microseconds(Int64(random.next() % 400))) }
            try await answer.room()
            answer.append(piece)
        }
        if fails { answer.fail(Broken()) } else { answer.finish() }
    }

    @Test(arguments: [200_000, 3000])
    func `every reader reads the whole answer, or knows why it does not`(largestBytes: Int) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        try await Self.withLoops(4) { loops in
            var random = SeededGenerator(seed: seed)
            var tally: [String: Int] = [:]
            for round in 0..<40 {
                let pieces = (0..<100).map { _ in
                    [UInt8](
                        repeating: UInt8(truncatingIfNeeded: random.next()), count: Int(random.next() % 200))
                }
                let whole = pieces.flatMap { $0 }
                let answer = SharedAnswer(on: loops[0], largestBytes: largestBytes, highWater: 2000)
                let abandoned = Locked(0)
                answer.whenAbandoned { abandoned.withLock { $0 += 1 } }
                let fails = round % 8 == 7
                // With one who stays to the end the answer is not abandoned.
                let stays = round % 2 == 1 ? answer.subscribe(on: loops[1]) : nil
                let patient = stays.map { reader in
                    Task(executorPreference: loops[1]) { await Self.read(reader) }
                }
                let makerSeed = random.next()
                let maker = Task(executorPreference: loops[0]) {
                    try await Self.make(answer, pieces, on: loops[0], seed: makerSeed, fails: fails)
                }
                var readers = (0..<30).map { number in
                    let (loop, seed) = (loops[number % 4], random.next())
                    return Task(executorPreference: loop) { await Self.read(answer, on: loop, seed: seed) }
                }
                for reader in readers where random.next() % 10 == 0 { reader.cancel() }
                if let patient { readers.append(patient) }
                for reader in readers {
                    switch await reader.value {
                    case .complete(let bytes):
                        #expect(bytes == whole && !fails, "seed \(seed)")
                        tally["complete", default: 0] += 1
                    case .cancelled(let bytes):
                        #expect(whole.starts(with: bytes), "seed \(seed)")
                        tally["cancelled", default: 0] += 1
                    case .failed(let bytes):
                        #expect(bytes == whole && fails, "seed \(seed)")
                        tally["failed", default: 0] += 1
                    case .refused: tally["refused", default: 0] += 1
                    case .fellBehind:
                        #expect(largestBytes < whole.count, "seed \(seed)")
                        tally["fell behind", default: 0] += 1
                    }
                }
                try await maker.value
                #expect(answer.readerCount == 0, "seed \(seed)")
                #expect(
                    abandoned.withLock { $0 } <= (stays == nil || largestBytes < whole.count ? 1 : 0),
                    "seed \(seed)")
            }
            for fate in ["complete", "cancelled", "failed"] {
                #expect(tally[fate, default: 0] > 0, "seed \(seed): \(tally)")
            }
        }
    }

    @Test func `however many leave at once, it is told once`() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        try await Self.withLoops(4) { loops in
            for round in 0..<300 {
                let answer = SharedAnswer(on: loops[0], largestBytes: 1000, highWater: 100)
                let told = Locked(0)
                answer.whenAbandoned { told.withLock { $0 += 1 } }
                var readers: [(EventLoop, SharedAnswer.Reader)] = []
                for number in 0..<8 {
                    let loop = loops[number % 4]
                    readers.append((loop, try #require(answer.subscribe(on: loop))))
                }
                await withTaskGroup(of: Void.self) { tasks in
                    for (loop, reader) in readers {
                        tasks.addTask(executorPreference: loop) { reader.leave() }
                    }
                }
                #expect(told.withLock { $0 } == 1, "round \(round), seed \(seed)")
                #expect(answer.subscribe(on: loops[0]) == nil)
            }
        }
    }

    // MARK: Flights

    /// How many lead at the same time, for each key.
    private final class Watch: Sendable {
        let leading = Locked<[CacheKey: Int]>([:])
        let ledCount = Locked(0)
        let joinedCount = Locked(0)
        let overlaps = Locked(0)

        func began(_ key: CacheKey) {
            ledCount.withLock { $0 += 1 }
            let count = leading.withLock { leading in
                leading[key, default: 0] += 1
                return leading[key, default: 0]
            }
            if count > 1 { overlaps.withLock { $0 += 1 } }
        }

        func ended(_ key: CacheKey) { leading.withLock { $0[key, default: 1] -= 1 } }
    }

    private static func text(_ reader: SharedAnswer.Reader) async throws(SharedAnswerFailure) -> [UInt8] {
        var all: [UInt8] = []
        while let piece = try await reader.next() { all += piece }
        return all
    }

    /// Asks until there is an answer, as a request would. Two of three makers fail before they say anything.
    private static func ask(
        _ table: FlightTable, _ key: CacheKey, _ watch: Watch, on loop: EventLoop, seed: UInt64
    ) async throws -> [UInt8] {
        var random = SeededGenerator(seed: seed)
        try await loop.sleep(for: .microseconds(Int64(random.next() % 3000)))
        while true {
            switch table.join(key, variant: 0, on: loop, largestBytes: 10_000, highWater: 1000) {
            case .join(let reader):
                watch.joinedCount.withLock { $0 += 1 }
                do throws(SharedAnswerFailure) { return try await text(reader) } catch {
                    guard case .neverBegan = error else { throw error }
                }
            case .lead(let flight, let reader):
                watch.began(key)
                try await loop.sleep(for: .microseconds(Int64(random.next() % 1000)))
                let fails = random.next() % 3 < 2
                if !fails {
                    flight.answer.begin("1")
                    flight.answer.append(key.bytes)
                    try await loop.sleep(for: .microseconds(Int64(random.next() % 500)))
                }
                watch.ended(key)
                if !fails {
                    flight.finish()
                    return try await text(reader)
                }
                // Some say so, and some are just gone.
                if random.next() % 2 == 0 { flight.fail(Broken()) }
            }
        }
    }

    @Test func `of all who ask the same one leads, and all get an answer though most makers fail`()
        async throws
    {
        let seed = UInt64.random(in: 0 ... .max)
        try await Self.withLoops(4) { loops in
            let table = FlightTable()
            let watch = Watch()
            var random = SeededGenerator(seed: seed)
            for _ in 0..<20 {
                let keys = (0..<5).map { number in
                    CacheKey(bytes: (0..<32).map { _ in UInt8(truncatingIfNeeded: number) })
                }
                let tasks = (0..<100).map { number in
                    let (loop, key, seed) = (loops[number % 4], keys[number % 5], random.next())
                    return Task(executorPreference: loop) {
                        try await Self.ask(table, key, watch, on: loop, seed: seed) == key.bytes
                    }
                }
                for task in tasks {
                    let isRight = try await task.value
                    #expect(isRight, "seed \(seed)")
                }
                #expect(table.count == 0, "seed \(seed)")
            }
            #expect(watch.overlaps.withLock { $0 } == 0, "seed \(seed)")
            #expect(watch.joinedCount.withLock { $0 } > watch.ledCount.withLock { $0 }, "seed \(seed)")
        }
    }
}
