import Base
import Identity
import Loop
import Postgres
import Redis
import TestKit

/// An organization on a real PostgreSQL and Redis, and as many processes as a test makes.
// Confined to its loop.
final class KeyWorld: @unchecked Sendable {
    /// Waits that only a hang exceeds.
    static let patience = Duration.seconds(20)

    let loop: EventLoop
    let redis: PrivateRedis
    let database: PostgresConfiguration
    let pool: PostgresPool
    let store: IdentityStore
    let peppers: KeyPeppers
    private(set) var organization = UUID.make()
    private(set) var user = UUID.make()

    private init(on loop: EventLoop, _ redis: PrivateRedis, _ migrated: MigratedDatabase) async throws {
        self.loop = loop
        self.redis = redis
        database = try migrated.configuration()
        pool = PostgresPool(database, on: loop)
        peppers = try KeyPeppers(parsing: Secret("1:\(String(repeating: "p", count: 32))"))
        let vault = Vault(try MasterKeys(parsing: Secret(MasterKeys.newFile())))
        store = IdentityStore(
            pool, peppers: peppers, vault: vault,
            audit: AuditLog(secret: try await InstanceSecrets(pool, vault).secret(.audit)),
            settings: IdentityStore.Settings(publicURL: "https://hivegate.test"))
    }

    /// Runs `body` with databases of its own. `redisArguments` go to `redis-server`.
    static func run(
        redisArguments: [String] = [], _ body: @escaping @Sendable (KeyWorld) async throws -> Void
    ) async throws {
        let database = try await MigratedDatabase()
        try await onLoop { loop in
            try await PrivateRedis.with(redisArguments, on: loop) { redis in
                let world = try await KeyWorld(on: loop, redis, database)
                let founding = try await world.store.found(
                    organization: "Acme", owner: "ann@acme.example", password: PasswordHash(stored: "none"),
                    by: .command)
                world.organization = founding.organization
                world.user = founding.user
                try await body(world)
                await world.pool.close(until: .now() + patience)
            }
        }
    }

    func makeKey() async throws -> APIKey {
        try await store.makeKey(NewKey(name: "key"), for: user, of: organization, by: .command).key
    }

    /// Ends a key, and says the generation that begins with it.
    func revoke(_ key: UUID) async throws -> Int64 {
        try await store.revokeKey(key, of: organization, by: .command).generation
    }

    /// What one process has of its own.
    // Confined to its loop.
    final class Process: @unchecked Sendable {
        let shared = SharedKeys()
        let redis: RedisClient
        let generations: KeyGenerations
        let ring: KeyRing
        let pool: PostgresPool
        var listener: KeyChangeListener?
        private let loads: Locked<Int>
        /// Look-ups in the database.
        var loadCount: Int { loads.withLock { $0 } }

        init(_ world: KeyWorld, time: TimeSource, limits: KeyGenerations.Limits) throws {
            var options = RedisOptions()
            options.maximumBackoff = .milliseconds(50)
            redis = RedisClient(try RedisURL(world.redis.url), options: options, on: world.loop)
            generations = KeyGenerations(redis, shared, limits: limits, logger: .silent)
            pool = PostgresPool(world.database, on: world.loop)
            let lookup = CallerLookup(pool)
            let loads = Locked(0)
            self.loads = loads
            ring = KeyRing(
                on: world.loop, peppers: world.peppers, shared: shared, generations: generations, time: time
            ) { digests in
                loads.withLock { $0 += 1 }
                return try await lookup.caller(of: digests)
            }
        }

        func close() async {
            listener?.close()
            await generations.close()
            redis.close()
            await pool.close(until: .now() + KeyWorld.patience)
        }

        /// Whether memory knows the caller of `key`, and has not heard of a change since.
        func remembers(_ key: APIKey) -> Bool {
            guard case .known(let remembered) = ring.recall(key) else { return false }
            return remembered.reached <= remembered.known.generation
        }
    }

    /// A process that is connected. A test that is not about time lets Redis take its time.
    func process(
        time: TimeSource = .live, isPatient: Bool = true, listens: Bool = false
    ) async throws -> Process {
        var limits = KeyGenerations.Limits()
        limits.pauseBeforeRetry = .milliseconds(20)
        if isPatient {
            limits.reading = Self.patience
            limits.announcing = Self.patience
        }
        let process = try Process(self, time: time, limits: limits)
        _ = try await process.redis.send(
            RedisCommand("PING"), timeout: Self.patience, waitsForConnection: true)
        if listens {
            let listener = KeyChangeListener(try RedisURL(redis.url), process.shared, on: loop)
            process.listener = listener
        }
        return process
    }

    /// Waits until something is so; throws when it never is.
    func eventually(_ condition: () async throws -> Bool) async throws {
        for _ in 0..<4000 {
            if try await condition() { return }
            try await loop.sleep(for: .milliseconds(5))
        }
        throw NeverSo()
    }

    struct NeverSo: Error {}
}
