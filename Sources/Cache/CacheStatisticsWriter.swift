package import Base
import Loop
package import Redis

/// Tells Redis every few seconds what a process has counted.
// Confined to its loop.
package final class CacheStatisticsWriter: @unchecked Sendable {
    private static let interval = Duration.seconds(5)
    /// Commands in one pipeline.
    private static let batch = 500
    /// Days are kept this long after their last change, so that the last 35 are whole.
    private static let lifetimeSeconds = 36 * 86_400

    private let statistics: CacheStatistics
    private let redis: RedisClient
    private let timeout: Duration
    private var timer: TimerToken?
    private var isWriting = false

    /// Starts at once. Call it on the loop; `close` it in the end.
    package init(_ statistics: CacheStatistics, _ redis: RedisClient, timeout: Duration = .seconds(1)) {
        self.statistics = statistics
        self.redis = redis
        self.timeout = timeout
        wait()
    }

    /// Tells what there is, if Redis is there.
    package func close() async {
        if let timer { redis.loop.cancel(timer) }
        timer = nil
        await write()
    }

    private func wait() {
        timer = redis.loop.schedule(at: .now() + Self.interval) { [weak self] in
            guard let self else { return }
            wait()
            guard !isWriting else { return }
            isWriting = true
            redis.loop.spawn { [self] in
                await write()
                isWriting = false
            }
        }
    }

    /// Tells all that is counted. What certainly did not reach Redis is kept for later; what may have is not told twice.
    package func write() async {
        var lines = statistics.take().flatMap { place, counts in Self.lines(counts, at: place) }[...]
        while !lines.isEmpty {
            let some = lines.prefix(Self.batch)
            do throws(RedisError) {
                let replies = try await redis.pipeline(some.map(\.command), timeout: timeout)
                for (line, reply) in zip(some, replies) where reply.error != nil { keep(line) }
            } catch {
                if error.mayHaveExecuted { lines.removeFirst(some.count) }
                return lines.forEach(keep)
            }
            lines.removeFirst(some.count)
        }
    }

    private func keep(_ line: Line) {
        if let counts = line.counts { statistics.putBack(counts, at: line.place) }
    }

    private struct Line {
        var place: CacheStatistics.Place
        var command: RedisCommand
        /// What it adds.
        var counts: CacheCounts?
    }

    private static func lines(_ counts: CacheCounts, at place: CacheStatistics.Place) -> [Line] {
        let name = CacheNames.counts(of: place.organization, on: place.day)
        var lines: [Line] = []
        for (field, property) in CacheCounts.fields where counts[keyPath: property] != 0 {
            var command = RedisCommand("HINCRBY")
            command.add(name)
            command.add(field)
            command.add(counts[keyPath: property])
            var part = CacheCounts()
            part[keyPath: property] = counts[keyPath: property]
            lines.append(Line(place: place, command: command, counts: part))
        }
        var expire = RedisCommand("EXPIRE")
        expire.add(name)
        expire.add(lifetimeSeconds)
        lines.append(Line(place: place, command: expire))
        return lines
    }
}

// MARK: - Reading
extension CacheStore {
    package static let largestDayCount = 35

    /// What was counted on the last `days` days of UTC, today included, the latest first. Each process adds what it has
    /// counted every few seconds.
    package func counts(
        of organization: UUID, days: Int, at now: Timestamp
    ) async throws(RedisError) -> [(day: CacheDay, counts: CacheCounts)] {
        let today = CacheDay(now)
        let days = (0..<max(1, min(days, Self.largestDayCount))).map { today.before($0) }
        let commands = days.map { day in
            var command = RedisCommand("HGETALL")
            command.add(CacheNames.counts(of: organization, on: day))
            return command
        }
        let replies = try await redis.pipeline(commands, timeout: limits.reading)
        if let error = replies.lazy.compactMap(\.error).first {
            throw RedisError(.server(error), mayHaveExecuted: true, detail: error.message)
        }
        return zip(days, replies).map { ($0, Self.counts($1)) }
    }

    private static func counts(_ reply: RedisValue) -> CacheCounts {
        let pairs = reply.array ?? []
        var counts = CacheCounts()
        for index in stride(from: 0, to: pairs.count - 1, by: 2) {
            let name = pairs[index].string
            // One that another version counts is passed over.
            guard let (_, property) = CacheCounts.fields.first(where: { $0.name == name }) else { continue }
            counts[keyPath: property] = pairs[index + 1].string.flatMap { Int($0) } ?? 0
        }
        return counts
    }
}
