package import Base
package import Redis

/// Among processes one makes the answer that several wait for: the one with the lease.
extension CacheStore {
    package enum Lease: Equatable, Sendable {
        case taken
        /// Somebody else has it; their token.
        case held(by: [UInt8])
    }

    /// Takes the lease for `milliseconds`, if nobody has it, and then looks what is kept: whoever gave the lease back has
    /// stored before. `token` is the caller's alone. `CacheLookup` reads the entry.
    package func lease(
        _ key: CacheKey, of organization: UUID, token: [UInt8], milliseconds: Int
    ) async throws(RedisError) -> (lease: Lease, entry: RedisValue) {
        var command = RedisCommand("SET")
        command.add(CacheNames.lease(key, of: organization))
        command.add(token)
        command.add("NX")
        command.add("GET")
        command.add("PX")
        command.add(milliseconds)
        let replies = try await redis.pipeline(
            [command, Self.getCommand(key, of: organization)], timeout: limits.leasing)
        if let error = replies[0].error { throw RedisError(.server(error), detail: error.message) }
        guard let holder = replies[0].bytes, holder != token else { return (.taken, replies[1]) }
        return (.held(by: holder), replies[1])
    }

    /// Says whether the lease is still the caller's, and then it is for `milliseconds` from now.
    package func extendLease(
        _ key: CacheKey, of organization: UUID, token: [UInt8], milliseconds: Int
    ) async throws(RedisError) -> Bool {
        var command = RedisCommand(calling: CacheLibrary.extend, keyCount: 1)
        command.add(CacheNames.lease(key, of: organization))
        command.add(token)
        command.add(milliseconds)
        return try await redis.send(command, using: CacheLibrary.library, timeout: limits.leasing).integer
            == 1
    }

    /// Says whether it was the caller's. Another's is left alone.
    @discardableResult
    package func releaseLease(
        _ key: CacheKey, of organization: UUID, token: [UInt8]
    ) async throws(RedisError) -> Bool {
        var command = RedisCommand(calling: CacheLibrary.release, keyCount: 1)
        command.add(CacheNames.lease(key, of: organization))
        command.add(token)
        return try await redis.send(command, using: CacheLibrary.library, timeout: limits.leasing).integer
            == 1
    }
}
