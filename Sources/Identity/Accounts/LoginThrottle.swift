package import Base
package import Redis

/// Slows down guessing, for each account and for each address: after a few failures one has to wait, and twice as long
/// after each further one.
///
/// An attempt counts before its outcome is known, so that many at the same time gain nothing. It does not matter
/// whether the account exists. While Redis is away each process counts for itself.
// Confined to its loop.
package final class LoginThrottle: @unchecked Sendable {
    /// Free failures of an account and of an address; behind an address there may be an office.
    private static let freeOfAccount = 5
    private static let freeOfAddress = 50
    private static let longestWait = 900
    /// Failures are forgotten after a day without any.
    private static let memory = 86_400
    /// Without Redis.
    private static let largestTable = 10_000

    private let redis: RedisClient
    private let time: TimeSource
    private var local: [String: Failures] = [:]

    private struct Failures {
        var count: Int
        var freeAt: Instant
    }

    package init(_ redis: RedisClient, time: TimeSource = .live) {
        self.redis = redis
        self.time = time
    }

    /// Counts an attempt. Throws where one has to wait first, and says how long.
    package func admit(account: String, from address: String?) async throws {
        let keys = Self.keys(account, address)
        let wait: Int
        do {
            wait = try await ask(keys)
        } catch is RedisError {
            wait = askLocally(keys)
        }
        guard wait > 0 else { return }
        throw Problem(
            .rateLimited, code: "too_many_attempts",
            "Too many attempts for this account or from this address. Wait \(wait) seconds.",
            retryAfterSeconds: wait)
    }

    /// The attempt was good: the account starts anew, the address gets its attempt back.
    package func succeeded(account: String, from address: String?) async {
        let keys = Self.keys(account, address)
        for key in keys { local[key.name] = nil }
        var command = RedisCommand(calling: Self.library.function("login_succeeded"), keyCount: keys.count)
        for key in keys { command.add(key.name) }
        // Without Redis there is nothing to take back.
        _ = try? await redis.send(command, using: Self.library)
    }

    private struct Key {
        var name: String
        var free: Int
    }

    /// One slot of a cluster for both.
    private static func keys(_ account: String, _ address: String?) -> [Key] {
        let digest = String(hex: Digest.sha256(account.lowercased().utf8).prefix(16))
        var keys = [Key(name: "hg:{login}:account:\(digest)", free: freeOfAccount)]
        if let address { keys.append(Key(name: "hg:{login}:address:\(address)", free: freeOfAddress)) }
        return keys
    }

    private func ask(_ keys: [Key]) async throws -> Int {
        var command = RedisCommand(calling: Self.library.function("login_attempt"), keyCount: keys.count)
        for key in keys { command.add(key.name) }
        for key in keys { command.add(key.free) }
        command.add(Self.longestWait)
        command.add(Self.memory)
        return try await redis.send(command, using: Self.library).integer ?? 0
    }

    private func askLocally(_ keys: [Key]) -> Int {
        let now = time.instant()
        let longest = keys.compactMap { local[$0.name].map { $0.freeAt - now } }.max() ?? .zero
        if longest > .zero { return Int((longest.nanoseconds + 999_999_999) / 1_000_000_000) }
        if local.count >= Self.largestTable { local = local.filter { $0.value.freeAt > now } }
        for key in keys where local.count < Self.largestTable || local[key.name] != nil {
            let count = (local[key.name]?.count ?? 0) + 1
            local[key.name] = Failures(
                count: count, freeAt: now + .seconds(Self.wait(after: count, free: key.free)))
        }
        return 0
    }

    private static func wait(after count: Int, free: Int) -> Int {
        count < free ? 0 : min(longestWait, 1 << min(count - free, 20))
    }

    private static let library = RedisLibrary(name: "login", source: source)

    /// Time is Redis's own, so that all processes agree.
    private static let source = """
        local function seconds()
            local time = redis.call('TIME')
            return tonumber(time[1]) + tonumber(time[2]) / 1000000
        end

        local function attempt(keys, arguments)
            local now, wait = seconds(), 0
            for _, key in ipairs(keys) do
                local free = tonumber(redis.call('HGET', key, 'free_at') or '0')
                wait = math.max(wait, free - now)
            end
            if wait > 0 then return math.ceil(wait) end
            local longest, memory = tonumber(arguments[#keys + 1]), tonumber(arguments[#keys + 2])
            for index, key in ipairs(keys) do
                local count = redis.call('HINCRBY', key, 'count', 1)
                local over = count - tonumber(arguments[index])
                if over >= 0 then
                    redis.call('HSET', key, 'free_at', string.format('%.6f', now + math.min(longest, 2 ^ math.min(over, 20))))
                end
                redis.call('EXPIRE', key, memory)
            end
            return 0
        end

        local function succeeded(keys)
            redis.call('DEL', keys[1])
            if keys[2] and redis.call('EXISTS', keys[2]) == 1 then
                redis.call('HINCRBY', keys[2], 'count', -1)
                redis.call('HDEL', keys[2], 'free_at')
            end
            return 0
        end

        redis.register_function('login_attempt' .. suffix, attempt)
        redis.register_function('login_succeeded' .. suffix, succeeded)
        """
}
