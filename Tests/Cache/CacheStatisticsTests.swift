import Base
import Cache
import Glibc
import Redis
import TestKit
import Testing

struct CacheStatisticsTests {
    private let noon = Timestamp(seconds: 1_800_000_000 / 86_400 * 86_400 + 43_200)

    private func counts(_ number: Int) -> CacheCounts {
        var counts = CacheCounts()
        (counts.hits, counts.misses, counts.coalesced, counts.semanticHits) = (number, 2, 3, 4)
        (counts.stored, counts.corrupted, counts.tokensSaved, counts.nanodollarsSaved) = (5, 6, 7, 8)
        return counts
    }

    @Test func `what was counted is read back by day, the latest first`() async throws {
        try await CacheWorld.run { world in
            let statistics = CacheStatistics()
            let writer = CacheStatisticsWriter(statistics, world.client, timeout: patience)
            statistics.add(counts(1), of: world.organization, at: noon)
            statistics.add(counts(10), of: world.organization, at: noon)
            statistics.add(counts(100), of: world.organization, at: noon + .seconds(-2 * 86_400))
            statistics.add(counts(1000), of: .make(), at: noon)
            await writer.write()
            statistics.add(counts(500), of: world.organization, at: noon)
            await writer.close()
            let days = try await world.store.counts(of: world.organization, days: 3, at: noon)
            #expect(days.map(\.counts.hits) == [511, 0, 100])
            #expect(days.map(\.day) == [CacheDay(noon), CacheDay(noon).before(1), CacheDay(noon).before(2)])
            #expect(days[2].counts == counts(100))
            #expect(days[1].counts == CacheCounts())
            #expect(days[0].counts.nanodollarsSaved == 24)
            let whole = try await world.store.counts(of: world.organization, days: 1000, at: noon)
            #expect(whole.count == 35)
        }
    }

    @Test func `every count has its own place, and goes after five weeks`() async throws {
        try await CacheWorld.run { world in
            let statistics = CacheStatistics()
            let writer = CacheStatisticsWriter(statistics, world.client, timeout: patience)
            statistics.add(counts(1), of: world.organization, at: Timestamp(seconds: 1_798_761_599))
            await writer.close()
            let id = world.organization.description
            let name = "hg:{\(id.suffix(2))}:cs:\(id):20261231"
            #expect(try await world.keys() == [name])
            let values = try await world.send("HVALS", .text(name)).array ?? []
            #expect(values.compactMap(\.string).sorted() == (1...8).map(String.init))
            #expect(Mirror(reflecting: CacheCounts()).children.count == values.count)
            let left = try await world.send("TTL", .text(name)).integer ?? 0
            #expect((35 * 86_400...36 * 86_400).contains(left))
            // Another version counts more.
            _ = try await world.send("HSET", .text(name), "unheard_of", "hits", "misses", "x")
            let days = try await world.store.counts(
                of: world.organization, days: 1, at: Timestamp(seconds: 1_798_761_599))
            #expect(days[0].counts.hits == 1 && days[0].counts.misses == 0)
        }
    }

    @Test func `nothing that was counted on several threads is lost or counted twice`() async throws {
        try await CacheWorld.run { world in
            let statistics = CacheStatistics()
            let writer = CacheStatisticsWriter(statistics, world.client, timeout: patience)
            let organizations = (0..<300).map { _ in UUID.make() }
            let time = noon
            let threads = (0..<4).map { _ in
                Task.detached {
                    var one = CacheCounts()
                    one.hits = 1
                    for _ in 0..<20 {
                        for organization in organizations { statistics.add(one, of: organization, at: time) }
                    }
                }
            }
            for _ in 0..<20 { await writer.write() }
            for thread in threads { await thread.value }
            await writer.close()
            for organization in organizations {
                let days = try await world.store.counts(of: organization, days: 1, at: noon)
                #expect(days[0].counts.hits == 80)
            }
        }
    }

    @Test func `what Redis was not told is told when it is back`() async throws {
        try await CacheWorld.run { world in
            let statistics = CacheStatistics()
            let writer = CacheStatisticsWriter(statistics, world.client, timeout: patience)
            try await world.redis.kill()
            try await world.eventually { !world.client.isReady }
            statistics.add(counts(1), of: world.organization, at: noon)
            await writer.write()
            await writer.write()
            try await world.redis.start()
            try await world.eventually { world.client.isReady }
            await writer.close()
            let days = try await world.store.counts(of: world.organization, days: 1, at: noon)
            #expect(days[0].counts == counts(1))
        }
    }

    @Test func `a count that Redis refuses is kept, the others are not told again`() async throws {
        try await CacheWorld.run { world in
            let statistics = CacheStatistics()
            let writer = CacheStatisticsWriter(statistics, world.client, timeout: patience)
            let id = world.organization.description
            let name = "hg:{\(id.suffix(2))}:cs:\(id):\(CacheDay(noon))"
            _ = try await world.send("HSET", .text(name), "misses", "not a number")
            statistics.add(counts(1), of: world.organization, at: noon)
            await writer.write()
            _ = try await world.send("HDEL", .text(name), "misses")
            await writer.close()
            let days = try await world.store.counts(of: world.organization, days: 1, at: noon)
            #expect(days[0].counts == counts(1))
        }
    }

    @Test func `counts that would not fit stay as large as they can be`() {
        var counts = CacheCounts()
        counts.tokensSaved = .max - 1
        var more = CacheCounts()
        more.tokensSaved = 5
        counts += more
        #expect(counts.tokensSaved == .max)
    }

    @Test func `a day begins at midnight of UTC`() {
        #expect(CacheDay(Timestamp(seconds: 1_767_225_599)).description == "20251231")
        #expect(CacheDay(Timestamp(seconds: 1_767_225_600)).description == "20260101")
        #expect(CacheDay(Timestamp(seconds: 1_767_225_600)).before(1).description == "20251231")
        #expect(CacheDay(Timestamp(seconds: -1)).description == "19691231")
        #expect(CacheDay(Timestamp(seconds: 0)).number == 0)
    }
}
