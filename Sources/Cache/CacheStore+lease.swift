package import Base
package import Redis

/// Among processes one makes the answer that several wait for: the one with the lease.
extension CacheStore {
    package enum Lease: Equatable, Sendable {
        case taken
        /// Somebody else has it; their token.
        case held(by: [UInt8])
    }

    /// Takes the lease for `milliseconds`, if nobody has it. `token` is the caller's alone.
    package func lease(
        _ key: CacheKey, of organization: UUID, token: [UInt8], milliseconds: Int
    ) async throws(RedisError) -> Lease {
        var command = RedisCommand("SET")
        command.add(CacheNames.lease(key, of: organization))
        command.add(token)
        command.add("NX")
        command.add("GET")
        command.add("PX")
        command.add(milliseconds)
        let holder = try await redis.send(command, timeout: limits.leasing).bytes
        guard let holder, holder != token else { return .taken }
        return .held(by: holder)
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
