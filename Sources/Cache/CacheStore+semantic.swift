package import Base
package import Redis

/// Which questions have kept answers, by where they lie: for each frame the newest.
extension CacheStore {
    /// Questions of a frame that are compared with.
    package static let largestFrame = 200
    /// Frames of an organization; of more nothing is noted until some have ended.
    static let frameCount = 10_000

    /// A question that means about the same, and has or had an answer.
    package struct Neighbour: Sendable {
        package let key: CacheKey
        /// 10,000 is the same.
        package let tenThousandths: Int
        let element: [UInt8]
    }

    /// What is known of a frame, as `neighbours(of:among:)` reads it.
    package func questions(
        in frame: CacheKey, of organization: UUID
    ) async throws(RedisError) -> [RedisValue] {
        var command = RedisCommand("ZRANGE")
        command.add(CacheNames.questions(in: frame, of: organization))
        command.add(0)
        command.add(Self.largestFrame - 1)
        return try await redis.send(command, timeout: limits.reading).array ?? []
    }

    /// Those that are at least so near, the nearest first. What is no question is passed over.
    package static func neighbours(
        of vector: QuestionVector, among questions: [RedisValue], thresholdThousandths: Int
    ) -> [Neighbour] {
        var near: [Neighbour] = []
        for question in questions {
            guard let element = question.bytes, element.count > CacheKey.length else { continue }
            let distance = element.withUnsafeBytes { bytes in
                vector.tenThousandths(to: UnsafeRawBufferPointer(rebasing: bytes[CacheKey.length...]))
            }
            guard let distance, distance >= thresholdThousandths * 10 else { continue }
            near.append(
                Neighbour(
                    key: CacheKey(bytes: Array(element.prefix(CacheKey.length))), tenThousandths: distance,
                    element: element))
        }
        return near.sorted { $0.tenThousandths > $1.tenThousandths }
    }

    /// The answer to another's question.
    package func answer(
        to neighbour: Neighbour, of organization: UUID
    ) async throws(RedisError) -> CacheLookup {
        let command = Self.getCommand(neighbour.key, of: organization)
        return CacheLookup(try await redis.pipeline([command], timeout: limits.reading)[0])
    }

    /// It has no answer any more.
    package func forget(
        _ neighbour: Neighbour, in frame: CacheKey, of organization: UUID
    ) async throws(RedisError) {
        var command = RedisCommand("ZREM")
        command.add(CacheNames.questions(in: frame, of: organization))
        command.add(neighbour.element)
        _ = try await redis.send(command, timeout: limits.reading)
    }

    /// Notes where the question of `key` lies, unless there was a purge since `generation` was read. Says whether it is
    /// noted.
    package func note(
        _ vector: QuestionVector, of key: CacheKey, in frame: CacheKey, of organization: UUID,
        lifetimeSeconds: Int, generation: Int64
    ) async throws(RedisError) -> Bool {
        var command = RedisCommand(calling: CacheLibrary.note, keyCount: 3)
        command.add(CacheNames.questions(in: frame, of: organization))
        command.add(CacheNames.frames(of: organization))
        command.add(CacheNames.organization(organization))
        command.add(Int(generation))
        command.add(lifetimeSeconds * 1000)
        command.add(Self.largestFrame)
        command.add(Self.frameCount)
        command.add(frame.bytes)
        command.add(key.bytes + vector.bytes)
        let reply = try await redis.send(command, using: CacheLibrary.library, timeout: limits.storing)
        return reply.integer == 1
    }

    /// All questions, for a purge: from the index first, as answers are.
    func deleteQuestions(of organization: UUID) async throws(RedisError) {
        let index = CacheNames.frames(of: organization)
        // What is noted meanwhile is of the new generation: it may be met or not.
        for _ in 0...Self.frameCount / Self.chunk {
            var range = RedisCommand("ZRANGE")
            range.add(index)
            range.add(0)
            range.add(Self.chunk - 1)
            let frames = try await redis.send(range, timeout: limits.purging).array ?? []
            var remove = RedisCommand("ZREM")
            var unlink = RedisCommand("UNLINK")
            remove.add(index)
            for frame in frames.compactMap(\.bytes) {
                remove.add(frame)
                // Of another length there is none.
                if frame.count == CacheKey.length {
                    unlink.add(CacheNames.questions(in: CacheKey(bytes: frame), of: organization))
                }
            }
            if frames.isEmpty { return }
            let replies = try await redis.pipeline([remove, unlink], timeout: limits.purging)
            if let error = replies.lazy.compactMap(\.error).first {
                throw RedisError(.server(error), mayHaveExecuted: true, detail: error.message)
            }
        }
    }
}
