package import Base
import Loop
package import Redis

/// How many changes of each organization's keys there were, as Redis tells all processes: the number that
/// `organizations.key_generation` had when a change was last announced.
///
/// Redis may be behind the database for a moment, never ahead of it. Whoever finds that it is behind moves it on.
// Confined to its loop.
package final class KeyGenerations: @unchecked Sendable {
    package struct Limits: Sendable {
        /// A request waits this long for the number.
        package var reading = Duration.milliseconds(50)
        /// After Redis did not answer in time it is not asked for so long: one that is slow costs few requests.
        package var pauseAfterTimeout = Duration.milliseconds(250)
        /// After a number could not be written, none that is missing counts as a change for so long.
        package var pauseAfterFailedWrite = Duration.seconds(1)
        /// Whoever made a change waits this long for it to be announced; then that goes on by itself.
        package var announcing = Duration.milliseconds(500)
        package var attempts = 3
        /// What could not be announced is tried again and again, with a pause.
        package var pauseBeforeRetry = Duration.milliseconds(250)

        package init() {}
    }

    /// What Redis says of an organization.
    package enum Reading: Equatable, Sendable {
        case generation(Int64)
        /// It knows none: it was flushed, or nobody has asked yet.
        case none
        /// It does not say.
        case unavailable
    }

    /// Where it is said whose keys have changed: the organization, a space, the generation.
    package static let channel = "hg:keys"

    private let redis: RedisClient
    private let shared: SharedKeys
    private let limits: Limits
    private let logger: Logger
    /// Those who ask in this tick.
    private var asking: [UUID: [UnsafeContinuation<Reading, Never>]] = [:]
    private var pausedUntil = Instant(nanoseconds: 0)
    private var cannotWriteUntil = Instant(nanoseconds: 0)
    private var isRetrying = false
    private var isClosed = false

    package init(_ redis: RedisClient, _ shared: SharedKeys, limits: Limits = Limits(), logger: Logger) {
        self.redis = redis
        self.shared = shared
        self.limits = limits
        self.logger = logger
    }

    // MARK: Reading

    /// Answers within `Limits.reading`, by what Redis says after the call.
    ///
    /// Requests of one tick ask together, each organization once.
    package func current(_ organization: UUID) async -> Reading {
        guard Instant.now() >= pausedUntil else { return .unavailable }
        return await withUnsafeContinuation { continuation in
            if asking.isEmpty { redis.loop.atTickEnd { [self] in ask() } }
            asking[organization, default: []].append(continuation)
        }
    }

    private func ask() {
        let (organizations, asked) = (Array(asking.keys), Array(asking.values))
        asking.removeAll(keepingCapacity: true)
        let commands = organizations.map { organization in
            var command = RedisCommand("HGET")
            command.add(OrganizationKeys.state(of: organization))
            command.add(Self.field)
            return command
        }
        redis.pipeline(commands, timeout: limits.reading) { [self] result in
            if case .failure(let error) = result, error.reason == .timedOut {
                pausedUntil = .now() + limits.pauseAfterTimeout
            }
            let readings = (try? result.get())?.map(Self.reading)
            for (index, continuations) in asked.enumerated() {
                let reading = readings?[index] ?? .unavailable
                for continuation in continuations { continuation.resume(returning: reading) }
            }
        }
    }

    /// Whether a number that is missing or too small is worth a look-up: only where it can be put right.
    var canRestore: Bool { Instant.now() >= cannotWriteUntil }

    /// Puts a number from the database where there is none, or a smaller one.
    func restore(_ organization: UUID, _ generation: Int64) async {
        do throws(RedisError) {
            let command = Self.raising(organization, generation)
            _ = try await redis.send(command, using: Self.library, timeout: limits.reading)
        } catch {
            noteFailedWrite()
        }
    }

    private func noteFailedWrite() { cannotWriteUntil = .now() + limits.pauseAfterFailedWrite }

    private static func reading(_ value: RedisValue) -> Reading {
        if value.error != nil { return .unavailable }
        guard let bytes = value.bytes, let number = Int64(String(decoding: bytes, as: UTF8.self)) else {
            return .none
        }
        return .generation(number)
    }

    // MARK: Announcing

    /// Tells all processes that the organization's keys have reached `generation`. Call it once the change is
    /// committed. Where Redis is away it is told when it is back; until then a process may take what it knows for
    /// right as long as `KeyRing.Limits.freshness` allows.
    package func announce(_ organization: UUID, _ generation: Int64) async {
        await shared.memory.overtake([organization: generation])
        let deadline = Instant.now() + limits.announcing
        for _ in 0..<limits.attempts {
            if await tell(organization, generation, until: deadline) { return }
        }
        if shared.pending.add(organization, generation) {
            logger.warning(
                "a change of API keys waits for Redis", ("organization", "\(organization)"))
        } else {
            logger.error(
                "a change of API keys could not be announced", ("organization", "\(organization)"))
        }
        retry()
    }

    /// Says whether Redis has it now.
    private func tell(_ organization: UUID, _ generation: Int64, until deadline: Instant) async -> Bool {
        let left = deadline - .now()
        guard left > .zero else { return false }
        var message = RedisCommand("PUBLISH")
        message.add(Self.channel)
        message.add("\(organization) \(generation)")
        do throws(RedisError) {
            let values = try await redis.pipeline(
                [Self.raising(organization, generation), message], using: Self.library, timeout: left,
                waitsForConnection: true)
            // Without the message others find out at their next reading.
            return values[0].error == nil
        } catch {
            return false
        }
    }

    /// One loop at a time is enough: what is pending belongs to the process.
    private func retry() {
        guard !isRetrying, !isClosed else { return }
        isRetrying = true
        redis.loop.spawn { [self] in
            while !isClosed, shared.pending.count > 0 {
                do { try await redis.loop.sleep(for: limits.pauseBeforeRetry) } catch { break }
                await tellPending(within: limits.announcing)
            }
            isRetrying = false
        }
    }

    private func tellPending(within limit: Duration) async {
        let deadline = Instant.now() + limit
        var isTelling = true
        for (organization, generation) in shared.pending.take() {
            if isTelling { isTelling = await tell(organization, generation, until: deadline) }
            if !isTelling { _ = shared.pending.add(organization, generation) }
        }
    }

    /// Tells what is left to tell, if Redis is there; nothing is announced afterwards.
    package func close() async {
        isClosed = true
        await tellPending(within: limits.announcing)
    }

    // MARK: In Redis

    /// Of the organization's state.
    static let field = "g"

    private static func raising(_ organization: UUID, _ generation: Int64) -> RedisCommand {
        var command = RedisCommand(calling: raise, keyCount: 1)
        command.add(OrganizationKeys.state(of: organization))
        command.add(Int(generation))
        command.add(OrganizationKeys.lifetimeSeconds)
        return command
    }

    private static let raise = library.function("raise_generation")

    /// Announcements come in any order; the largest number stays. It goes after days without anything, and is restored
    /// when it is needed again.
    private static let library = RedisLibrary(
        name: "hivegate_keys",
        source: """
            local function raise(keys, arguments)
                local current = tonumber(redis.call('HGET', keys[1], 'g'))
                local new = tonumber(arguments[1])
                if current and current > new then
                    new = current
                end
                redis.call('HSET', keys[1], 'g', string.format('%d', new))
                redis.call('EXPIRE', keys[1], arguments[2])
                return new
            end
            redis.register_function('raise_generation' .. suffix, raise)
            """)
}
