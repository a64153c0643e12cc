import Base
import Redis

/// The journals in Redis: what calls have left there, until the database has it.
struct Journals {
    /// As many as there are buckets of organizations.
    private static let all = (0...255).map { OrganizationKeys.journal(ofBucket: UInt8($0)) }
    private static let entriesAtOnce = 500
    private static let patience = Duration.seconds(2)

    let redis: RedisClient

    /// Takes out what the database has. What stays is found by whoever looks for what others have left.
    func trim(_ entries: [JournalEntry]) async {
        var commands: [[UInt8]: RedisCommand] = [:]
        for entry in entries {
            let key = OrganizationKeys.journal(of: entry.organization)
            var command = commands[key] ?? Self.removal(from: key, of: entries.count)
            command.add(entry.id.bytes)
            commands[key] = command
        }
        _ = try? await redis.pipeline(Array(commands.values), timeout: Self.patience)
    }

    private static func removal(from key: [UInt8], of count: Int) -> RedisCommand {
        var command = RedisCommand("HDEL", room: 64 + 24 * min(count, 1000))
        command.add(key)
        return command
    }

    /// What lies in all journals since before `moment`, and `most` of it.
    func entries(before moment: Timestamp, most: Int) async throws -> [JournalEntry] {
        let sizes = try await redis.pipeline(
            Self.all.map { key in
                var command = RedisCommand("HLEN")
                command.add(key)
                return command
            }, timeout: Self.patience, waitsForConnection: true)
        var found: [JournalEntry] = []
        for (key, size) in zip(Self.all, sizes) where size.integer ?? 0 > 0 && found.count < most {
            try await collect(key, before: moment, most: most, into: &found)
        }
        return found
    }

    private func collect(
        _ key: [UInt8], before moment: Timestamp, most: Int, into found: inout [JournalEntry]
    ) async throws {
        var cursor = "0"
        repeat {
            var command = RedisCommand("HSCAN")
            command.add(key)
            command.add(cursor)
            command.add("COUNT")
            command.add(Self.entriesAtOnce)
            let answer =
                try await redis.send(command, timeout: Self.patience, waitsForConnection: true).array ?? []
            cursor = answer.first?.string ?? "0"
            let values = answer.last?.array ?? []
            for place in stride(from: 0, to: values.count - 1, by: 2) {
                guard let id = UUID(bytes: values[place].bytes ?? []),
                    let entry = JournalEntry(id: id, found: values[place + 1].bytes ?? []), entry.at < moment
                else { continue }
                found.append(entry)
            }
        } while cursor != "0" && found.count < most
    }
}
