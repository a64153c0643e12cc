import Base
import Testing

@testable import Providers

struct OutlierWatchTests {
    private var start: Instant { Instant(nanoseconds: 1_000_000_000_000) }
    private let limits = OutlierWatch.Limits()

    private func record(_ requests: Int, failed failures: Int, taking time: Duration = .milliseconds(100))
        -> OutlierWatch.Record
    {
        var record = OutlierWatch.Record()
        record.requests = requests
        record.failures = failures
        record.begun = requests - failures
        record.timeToBegin = time * (requests - failures)
        return record
    }

    // MARK: Who does worse

    @Test func `one that fails far more often than the others is found, whatever its place`() {
        for place in 0..<4 {
            var records = Array(repeating: record(100, failed: 1), count: 4)
            records[place] = record(100, failed: 40)
            #expect(OutlierWatch.outliers(among: records) == [place])
        }
    }

    @Test func `a few requests say nothing, of it or of the others`() {
        #expect(OutlierWatch.outliers(among: [record(19, failed: 19), record(100, failed: 0)]).isEmpty)
        #expect(OutlierWatch.outliers(among: [record(20, failed: 19), record(100, failed: 0)]) == [0])
        #expect(OutlierWatch.outliers(among: [record(100, failed: 60), record(9, failed: 0)]).isEmpty)
        #expect(OutlierWatch.outliers(among: [record(100, failed: 60), record(10, failed: 0)]) == [0])
    }

    @Test func `where all fail alike nobody is found, and one that is alone neither`() {
        for failures in stride(from: 0, through: 100, by: 5) {
            for count in 1...5 {
                let records = Array(repeating: record(100, failed: failures), count: count)
                #expect(OutlierWatch.outliers(among: records).isEmpty, "\(failures) of 100, \(count) times")
            }
        }
        #expect(OutlierWatch.outliers(among: [record(1000, failed: 900)]).isEmpty)
        #expect(OutlierWatch.outliers(among: []).isEmpty)
    }

    @Test func `a difference that is small, or may be chance, is none`() {
        // 19 points, and surely no chance.
        #expect(
            OutlierWatch.outliers(among: [record(10000, failed: 1900), record(10000, failed: 0)]).isEmpty)
        #expect(OutlierWatch.outliers(among: [record(10000, failed: 2000), record(10000, failed: 0)]) == [0])
        // 30 points, and perhaps chance.
        #expect(OutlierWatch.outliers(among: [record(20, failed: 8), record(10, failed: 1)]).isEmpty)
    }

    @Test func `one that takes three times as long as two others do is found`() {
        let usual = record(50, failed: 0)
        func found(_ milliseconds: Int64, besides peers: [OutlierWatch.Record]) -> [Int] {
            OutlierWatch.outliers(among: [record(50, failed: 0, taking: .milliseconds(milliseconds))] + peers)
        }
        #expect(found(300, besides: [usual, usual]) == [0])
        #expect(found(299, besides: [usual, usual]).isEmpty)
        #expect(found(3000, besides: [usual]).isEmpty)
        #expect(found(3000, besides: [usual, record(19, failed: 0)]).isEmpty)
        // One fast peer does not make the others slow.
        #expect(found(300, besides: [record(50, failed: 0, taking: .milliseconds(10)), usual, usual]) == [0])
        #expect(found(200, besides: [record(50, failed: 0, taking: .milliseconds(10)), usual]).isEmpty)
        // Nobody needs to have taken any time.
        let none = record(50, failed: 0, taking: .zero)
        #expect(OutlierWatch.outliers(among: [none, none, none]).isEmpty)
    }

    @Test func `at most half are found, the worst first, and those that fail before those that are slow`() {
        let good = record(100, failed: 0)
        #expect(
            OutlierWatch.outliers(among: [record(100, failed: 60), record(100, failed: 90), good, good])
                == [1, 0])
        #expect(
            OutlierWatch.outliers(among: [
                record(100, failed: 0, taking: .seconds(9)), good, record(100, failed: 50), good, good,
            ]) == [2, 0])
        #expect(
            OutlierWatch.outliers(among: [record(100, failed: 80), record(100, failed: 90), good]).count <= 1)
    }

    @Test func `whatever happened, at least half are left, and each that is found does worse than the rest`()
    {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let records = (0..<Int.random(in: 0...8, using: &random)).map { _ in
                let requests = Int.random(in: 0...200, using: &random)
                return record(
                    requests, failed: Int.random(in: 0...requests, using: &random),
                    taking: .milliseconds(Int64.random(in: 0...5000, using: &random)))
            }
            let found = OutlierWatch.outliers(among: records)
            #expect(found.count * 2 <= records.count && Set(found).count == found.count, "seed \(seed)")
            for index in found {
                let own = records[index]
                let rest = records.enumerated().filter { $0.offset != index }.map(\.element)
                #expect(own.requests >= limits.leastRequests, "seed \(seed)")
                let isWorse =
                    rest.contains { $0.failures * own.requests < own.failures * $0.requests }
                    || rest.contains {
                        $0.begun > 0
                            && $0.timeToBegin.nanoseconds / Int64($0.begun)
                                < own.timeToBegin.nanoseconds / Int64(max(1, own.begun))
                    }
                #expect(isWorse, "seed \(seed)")
            }
        }
    }

    @Test func `upstreams that fail alike are seldom told apart by chance`() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        var found = 0
        for _ in 0..<2000 {
            let records = (0..<3).map { _ in
                record(100, failed: (0..<100).count { _ in Int.random(in: 0..<100, using: &random) < 15 })
            }
            if !OutlierWatch.outliers(among: records).isEmpty { found += 1 }
        }
        #expect(found < 20, "seed \(seed)")
    }

    // MARK: What is remembered

    @Test func `what is older than the window is forgotten`() {
        var watch = OutlierWatch()
        watch.failed(at: start)
        watch.succeeded(timeToFirstToken: .milliseconds(7), at: start + .seconds(29))
        watch.succeeded(timeToFirstToken: nil, at: start + .seconds(31))
        let record = watch.record(at: start + .seconds(31))
        #expect(record.requests == 3 && record.failures == 1 && record.begun == 1)
        #expect(record.timeToBegin == .milliseconds(7))
        #expect(watch.record(at: start + .seconds(62)).requests == 1)
        #expect(watch.record(at: start + .seconds(200)) == OutlierWatch.Record())
    }

    @Test func `who is left out comes back by itself, each time later, with nothing held against it`() {
        var watch = OutlierWatch()
        var now = start
        var pauses: [Int64] = []
        for _ in 0..<14 {
            for _ in 0..<30 { watch.failed(at: now) }
            watch.leaveOut(at: now)
            #expect(watch.isLeftOut(at: now) && watch.record(at: now).requests == 0)
            let left = now
            while watch.isLeftOut(at: now) { now = now + .seconds(1) }
            pauses.append((now - left).components.seconds)
        }
        #expect(pauses == [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300, 300, 300])
        now = now + .seconds(300)
        watch.leaveOut(at: now)
        #expect(!watch.isLeftOut(at: now + .seconds(30)))
    }

    @Test func `two who leave it out at once do so once`() {
        var watch = OutlierWatch()
        watch.leaveOut(at: start)
        watch.leaveOut(at: start + .seconds(1))
        #expect(!watch.isLeftOut(at: start + .seconds(30)))
    }
}
