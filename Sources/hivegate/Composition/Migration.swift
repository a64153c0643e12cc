import Base
import Loop
import Postgres

/// Bringing the schema up to date, as `serve` does at its start and `migrate` on demand.
enum Migration {
    /// Says what was applied.
    static func run(
        _ configuration: Configuration, _ storage: Storage, on loop: EventLoop, logger: Logger
    ) async throws -> [MigrationFile] {
        let connection = try await PostgresConnection.connect(storage.databaseOwner, on: loop)
        defer { connection.close() }
        return try await migrator(configuration, logger).run(on: connection)
    }

    /// What `run` would apply.
    static func plan(
        _ configuration: Configuration, _ storage: Storage, on loop: EventLoop, logger: Logger
    ) async throws -> MigrationPlan {
        let connection = try await PostgresConnection.connect(storage.databaseOwner, on: loop)
        defer { connection.close() }
        return try await migrator(configuration, logger).plan(on: connection)
    }

    private static func migrator(_ configuration: Configuration, _ logger: Logger) throws -> Migrator {
        var migrator = Migrator(files: try MigrationFile.read(directory: configuration.migrationsDirectory))
        migrator.report = { event in
            switch event {
            case .waitingForAnotherProcess: logger.info("waiting for another process that migrates")
            case .waitingForLocks(let file, let attempt):
                logger.warning(
                    "migration waits for locks", ("file", "\(file)"), ("attempt", .integer(attempt)))
            case .applying(let file): logger.info("applying migration", ("file", "\(file)"))
            case .applied(let file, let duration):
                logger.info(
                    "applied migration", ("file", "\(file)"),
                    ("milliseconds", .integer(Int(duration.nanoseconds / 1_000_000))))
            }
        }
        return migrator
    }
}
