package import Base
package import Redis

/// The answers of organizations in Redis.
///
/// A purge wins over an answer that was being made while it came: each purge gives the organization a new generation,
/// and an answer is stored only under the generation that was read when it was looked up.
// Confined to its loop.
package final class CacheStore: @unchecked Sendable {
    package struct Limits: Sendable {
        /// Nobody waits for these; one that takes longer costs its loop the connection.
        package var storing = Duration.seconds(1)
        package var purging = Duration.seconds(5)
        package var leasing = Duration.milliseconds(50)
        package var reading = Duration.seconds(1)
        /// An organization that has as many answers gets no more until some have ended.
        package var entryCount = 1_000_000

        package init() {}
    }

    /// As it is stored. The client that takes it to Redis sends no more at once.
    package static let largestEntryBytes = 16 << 20
    /// Keys in one command.
    static let chunk = 500

    let redis: RedisClient
    let limits: Limits

    package init(_ redis: RedisClient, limits: Limits = Limits()) {
        self.redis = redis
        self.limits = limits
    }

    // MARK: Looking up

    /// To be sent beside others; `CacheLookup` reads the reply.
    package static func getCommand(_ key: CacheKey, of organization: UUID) -> RedisCommand {
        var command = RedisCommand("GET", room: 160)
        command.add(CacheNames.entry(key, of: organization))
        return command
    }

    /// Asks for the organization's generation; `generation` reads the reply.
    package static func generationCommand(of organization: UUID) -> RedisCommand {
        var command = RedisCommand("HGET")
        command.add(CacheNames.organization(organization))
        command.add("x")
        return command
    }

    /// nil where Redis does not say: then nothing can be stored.
    package static func generation(_ reply: RedisValue) -> Int64? {
        if reply.isNull { return 0 }
        return reply.bytes.flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
    }

    // MARK: Storing

    /// Keeps an encoded answer, unless there was a purge since `generation` was read. Says whether it is kept.
    ///
    /// - Parameter token: of the lease under which the answer was made; it is given back.
    package func store(
        _ entry: [UInt8], as key: CacheKey, of organization: UUID, model: String, lifetimeSeconds: Int,
        generation: Int64, lease token: [UInt8]? = nil
    ) async throws(RedisError) -> Bool {
        guard lifetimeSeconds > 0, entry.count <= Self.largestEntryBytes else { return false }
        var command = RedisCommand(
            calling: CacheLibrary.store, keyCount: token == nil ? 3 : 4, room: entry.count + 512)
        command.add(CacheNames.entry(key, of: organization))
        command.add(CacheNames.index(of: organization))
        command.add(CacheNames.organization(organization))
        if token != nil { command.add(CacheNames.lease(key, of: organization)) }
        command.add(Int(generation))
        command.add(lifetimeSeconds * 1000)
        command.add(limits.entryCount)
        command.add(CacheNames.member(key, model: model))
        command.add(entry)
        if let token { command.add(token) }
        let reply = try await redis.send(command, using: CacheLibrary.library, timeout: limits.storing)
        return reply.integer == 1
    }

    // MARK: Purging

    package enum Purge: Equatable, Sendable {
        case all
        /// As clients name it.
        case model(String)
        case key(CacheKey)
    }

    /// Deletes answers, and keeps those from coming that are being made. Says how many there were.
    ///
    /// Where it throws, some may be left; answers that were being made are kept away all the same unless Redis was not
    /// reached at all.
    package func purge(_ purge: Purge, of organization: UUID) async throws(RedisError) -> Int {
        var command = RedisCommand(calling: CacheLibrary.raise, keyCount: 1)
        command.add(CacheNames.organization(organization))
        _ = try await redis.send(command, using: CacheLibrary.library, timeout: limits.purging)
        switch purge {
        case .all:
            try await deleteQuestions(of: organization)
            return try await delete(of: organization) { _ in true }
        case .model(let model):
            let name = Array(model.utf8)
            // A frame may have several models.
            try await deleteQuestions(of: organization)
            return try await delete(of: organization) {
                $0.dropFirst(CacheNames.digestCount).elementsEqual(name)
            }
        case .key(let key):
            var command = RedisCommand("UNLINK")
            command.add(CacheNames.entry(key, of: organization))
            return try await redis.send(command, timeout: limits.purging).integer ?? 0
        }
    }

    /// Goes once through the index. What is stored meanwhile is of the new generation: it may be met or not.
    private func delete(
        of organization: UUID, where isMeant: ([UInt8]) -> Bool
    ) async throws(RedisError) -> Int {
        let index = CacheNames.index(of: organization)
        var cursor = Array("0".utf8)
        var count = 0
        repeat {
            var scan = RedisCommand("ZSCAN")
            scan.add(index)
            scan.add(cursor)
            scan.add("COUNT")
            scan.add(Self.chunk)
            let reply = try await redis.send(scan, timeout: limits.purging).array ?? []
            guard reply.count == 2, let next = reply[0].bytes, let pairs = reply[1].array else { break }
            cursor = next
            // Members and their scores in turns.
            let members = stride(from: 0, to: pairs.count, by: 2).compactMap { pairs[$0].bytes }
                .filter { $0.count >= CacheNames.digestCount && isMeant($0) }
            for start in stride(from: 0, to: members.count, by: Self.chunk) {
                let chunk = members[start..<min(start + Self.chunk, members.count)]
                count += try await delete(chunk, of: organization, index)
            }
        } while !cursor.elementsEqual("0".utf8)
        return count
    }

    /// From the index first: an answer that is stored in between is deleted, but none is ever kept that is not in the
    /// index.
    private func delete(
        _ members: ArraySlice<[UInt8]>, of organization: UUID, _ index: [UInt8]
    ) async throws(RedisError) -> Int {
        var remove = RedisCommand("ZREM")
        var unlink = RedisCommand("UNLINK")
        remove.add(index)
        for member in members {
            remove.add(member)
            unlink.add(
                CacheNames.entry(digest: member.prefix(CacheNames.digestCount), of: organization))
        }
        let replies = try await redis.pipeline([remove, unlink], timeout: limits.purging)
        if let error = replies.lazy.compactMap(\.error).first {
            throw RedisError(.server(error), mayHaveExecuted: true, detail: error.message)
        }
        return replies[1].integer ?? 0
    }
}
