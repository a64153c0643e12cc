import Base
import Identity
import LocalServers
import Loop
import Postgres
import Redis

/// The two databases: given by configuration, or Hivegate's own.
// Its values are fixed once it is started; the servers are touched on the loop that started them.
final class Storage: @unchecked Sendable {
    /// How long a start waits for a database that is not there yet.
    static let patience = Duration.seconds(30)
    private static let applicationRole = "hivegate_app"
    private static let localDatabase = "hivegate"

    /// As the application: bound by row-level security.
    let database: PostgresConfiguration
    /// As whoever migrates.
    let databaseOwner: PostgresConfiguration
    let redis: RedisURL
    let peppers: KeyPeppers
    let vault: Vault
    /// `nil` where both databases are given.
    let place: LocalPlace?
    private let servers: [LocalServer]

    private init(
        database: PostgresConfiguration, databaseOwner: PostgresConfiguration, redis: RedisURL,
        peppers: KeyPeppers, vault: Vault, place: LocalPlace?, servers: [LocalServer]
    ) {
        self.database = database
        self.databaseOwner = databaseOwner
        self.redis = redis
        self.peppers = peppers
        self.vault = vault
        self.place = place
        self.servers = servers
    }

    /// Whether the database is Hivegate's own, and with it the first organization.
    var isOwnDatabase: Bool { place != nil && databaseOwner.user == LocalPostgres.superuser }

    /// What to do where another process runs the servers of our own already.
    enum Sharing {
        /// A server must be the only one.
        case refused
        /// A command uses them as they are.
        case allowed
    }

    /// Starts what is missing, waits until both databases answer, and lends them to `body`; then stops what it
    /// started. Runs on `loop`.
    static func use(
        _ configuration: Configuration, sharing: Sharing, on loop: EventLoop, logger: Logger,
        _ body: (Storage) async throws -> Void
    ) async throws {
        let storage = try await start(configuration, sharing: sharing, on: loop, logger: logger)
        do {
            try await body(storage)
        } catch {
            await storage.stop()
            throw error
        }
        await storage.stop()
    }

    private static func start(
        _ configuration: Configuration, sharing: Sharing, on loop: EventLoop, logger: Logger
    ) async throws -> Storage {
        let needsPlace = configuration.databaseURL == nil || configuration.redisURL == nil
        let place = needsPlace ? try LocalPlace(root: configuration.dataDirectory) : nil
        var servers: [LocalServer] = []
        do {
            if let place, try mustStart(in: place, sharing) {
                if configuration.databaseURL == nil {
                    servers.append(try await LocalPostgres.start(in: place, on: loop, logger: logger))
                }
                if configuration.redisURL == nil {
                    servers.append(try await LocalRedis.start(in: place, on: loop, logger: logger))
                }
            }
            let storage = try connect(configuration, place, servers)
            try await storage.waitUntilReady(on: loop, logger: logger)
            return storage
        } catch {
            for server in servers.reversed() { await server.stop() }
            throw error
        }
    }

    private static func mustStart(in place: LocalPlace, _ sharing: Sharing) throws(LocalServerError) -> Bool {
        if try place.claim() { return true }
        guard sharing == .allowed else {
            throw LocalServerError(
                "another hivegate serves from \(place.root): stop it, or set HIVEGATE_DATA to another directory"
            )
        }
        return false
    }

    private func stop() async {
        for server in servers.reversed() { await server.stop() }
    }

    private static func connect(
        _ configuration: Configuration, _ place: LocalPlace?, _ servers: [LocalServer]
    ) throws -> Storage {
        var owner: PostgresConfiguration
        var application: PostgresConfiguration
        if let url = configuration.databaseURL {
            application = try PostgresConfiguration(url: url.reveal())
            owner = try PostgresConfiguration(url: (configuration.databaseOwnerURL ?? url).reveal())
        } else if let place {
            owner = try PostgresConfiguration(url: LocalPostgres.url(in: place, database: localDatabase))
            application = owner
        } else {
            preconditionFailure("without a URL there is a place for a server of our own")
        }
        application.role = applicationRole
        owner.statementTimeout = nil
        return Storage(
            database: application, databaseOwner: owner, redis: try redisURL(configuration, place),
            peppers: try peppers(configuration, place),
            vault: Vault(try MasterKeyFile.keys(configuration, place)), place: place, servers: servers)
    }

    private static func redisURL(_ configuration: Configuration, _ place: LocalPlace?) throws -> RedisURL {
        if let url = configuration.redisURL { return try RedisURL(url.reveal()) }
        guard let place else { preconditionFailure("without a URL there is a place for a server of our own") }
        return try RedisURL(LocalRedis.url(in: place))
    }

    /// Given, or made at the first start and kept.
    private static func peppers(_ configuration: Configuration, _ place: LocalPlace?) throws -> KeyPeppers {
        if let given = configuration.keyPeppers { return try KeyPeppers(parsing: given) }
        guard let place else { preconditionFailure("with DATABASE_URL the peppers are required") }
        let path = "\(place.root)/key-peppers"
        if let content = Files.read(path) {
            return try KeyPeppers(parsing: Secret(String(decoding: content, as: UTF8.self)))
        }
        let made = "1:\(Random.base62(43))"
        try Files.write(Array(made.utf8), to: path, mode: 0o600)
        return try KeyPeppers(parsing: Secret(made))
    }

    // MARK: Waiting

    private func waitUntilReady(on loop: EventLoop, logger: Logger) async throws {
        let deadline = Instant.now() + Self.patience
        try await waitForPostgres(until: deadline, on: loop, logger: logger)
        try await waitForRedis(until: deadline, on: loop, logger: logger)
    }

    private func waitForPostgres(until deadline: Instant, on loop: EventLoop, logger: Logger) async throws {
        var notice = StartNotice("PostgreSQL", logger)
        while true {
            do throws(PostgresError) {
                let connection = try await PostgresConnection.connect(serverConfiguration, on: loop)
                defer { connection.close() }
                if isOwnDatabase { try await makeDatabase(connection) }
                return
            } catch {
                guard error.isWorthWaiting, Instant.now() < deadline else {
                    throw StorageUnavailable(name: "PostgreSQL", reason: error.details.message)
                }
                notice.say(error.details.message)
            }
            try await loop.sleep(for: .milliseconds(20))
        }
    }

    /// A new cluster has no database of ours yet.
    private var serverConfiguration: PostgresConfiguration {
        var configuration = databaseOwner
        if isOwnDatabase { configuration.database = "postgres" }
        return configuration
    }

    private func makeDatabase(_ connection: PostgresConnection) async throws(PostgresError) {
        let found = try await connection.query(
            "SELECT 1 FROM pg_database WHERE datname = \(Self.localDatabase)")
        if found.isEmpty { try await connection.runScript("CREATE DATABASE \(Self.localDatabase)") }
    }

    private func waitForRedis(until deadline: Instant, on loop: EventLoop, logger: Logger) async throws {
        var notice = StartNotice("Redis", logger)
        let client = RedisClient(redis, on: loop)
        defer { client.close() }
        while true {
            do throws(RedisError) {
                _ = try await client.send(
                    RedisCommand("PING"), timeout: .milliseconds(500), waitsForConnection: true)
                return
            } catch {
                let reason = client.health.lastFailure ?? "\(error)"
                guard Instant.now() < deadline else {
                    throw StorageUnavailable(name: "Redis", reason: reason)
                }
                notice.say(reason)
            }
            try await loop.sleep(for: .milliseconds(20))
        }
    }
}

/// A database that did not come in time.
struct StorageUnavailable: Error, CustomStringConvertible {
    let name: String
    let reason: String

    var description: String { "\(name) cannot be reached: \(reason)" }
}

/// Says that a start waits: at once when a person looks, and then every few seconds.
struct StartNotice {
    private static let pause = Duration.seconds(3)

    private let name: String
    private let logger: Logger
    private var nextAt = Instant.now() + .seconds(1)

    init(_ name: String, _ logger: Logger) {
        self.name = name
        self.logger = logger
    }

    mutating func say(_ reason: String) {
        guard Instant.now() >= nextAt else { return }
        nextAt = .now() + Self.pause
        logger.warning("waiting for a database", ("name", "\(name)"), ("reason", "\(reason)"))
    }
}

extension PostgresError {
    /// A server that is starting or away may come; a wrong password stays wrong.
    fileprivate var isWorthWaiting: Bool {
        switch kind {
        case .invalidConfiguration, .authenticationFailed, .insufficientPrivilege: false
        default: true
        }
    }
}
