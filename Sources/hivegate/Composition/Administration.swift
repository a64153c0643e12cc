import Base
import Identity
import Loop
import Postgres
import Redis

/// What commands work with that change people, organizations and keys.
// Confined to its loop.
final class Administration: @unchecked Sendable {
    let store: IdentityStore
    let pool: PostgresPool
    let audit: AuditLog
    let vault: Vault
    let passwords: PasswordPool
    let loop: EventLoop
    let redis: RedisClient
    let logger: Logger
    private let generations: KeyGenerations

    private init(_ storage: Storage, _ identity: SharedIdentity, on loop: EventLoop, logger: Logger) throws {
        pool = PostgresPool(storage.database, on: loop)
        store = identity.store(pool)
        audit = identity.audit
        vault = storage.vault
        passwords = identity.passwords
        self.loop = loop
        self.logger = logger
        redis = RedisClient(storage.redis, on: loop)
        generations = KeyGenerations(redis, SharedKeys(), logger: logger)
    }

    /// Runs `body` on the databases that a server would use, and says how it ended.
    static func run(_ body: @escaping @Sendable (Administration) async throws -> Void) -> ExitCode {
        Program.run { configuration, loop, logger in
            try await Storage.use(configuration, sharing: .allowed, on: loop, logger: logger) { storage in
                let identity = try await SharedIdentity.load(configuration, storage, on: loop)
                let administration = try Administration(storage, identity, on: loop, logger: logger)
                do {
                    try await body(administration)
                    await administration.close()
                } catch {
                    await administration.close()
                    throw error
                }
            }
        }
    }

    /// Tells servers that are running.
    func announce(_ change: KeyChange) async {
        await generations.announce(change.organization, change.generation)
    }

    /// The account with an address, or why not.
    func account(_ email: String) async throws -> Account {
        guard let account = try await store.account(withEmail: email) else {
            throw Absence(description: "there is no account \(email)")
        }
        return account
    }

    func hash(_ password: Secret) async throws -> PasswordHash {
        try await passwords.hash(password, on: loop)
    }

    private func close() async {
        await generations.close()
        await redis.close(drainingUntil: .now() + .seconds(1))
        await pool.close(until: .now() + .seconds(1))
        passwords.close()
    }
}

/// What a command was asked about is not there.
struct Absence: Error, CustomStringConvertible {
    let description: String
}
