package import Loop
package import Postgres

/// A database with the migrations of the product.
package struct MigratedDatabase: Sendable {
    package let url: String

    package init(in server: PrivatePostgres = .shared) async throws {
        url = try await server.migratedDatabase { url in
            try await onLoop { loop in
                let files = try MigrationFile.read(directory: Project.root + "/migrations")
                let owner = try await PostgresConnection.connect(PostgresConfiguration(url: url), on: loop)
                defer { owner.close() }
                try await Migrator(files: files).run(on: owner)
            }
        }
    }

    /// Who may do everything.
    package func owner(on loop: EventLoop) async throws -> PostgresConnection {
        try await PostgresConnection.connect(PostgresConfiguration(url: url), on: loop)
    }

    /// In the role of the application.
    package func configuration() throws -> PostgresConfiguration {
        var configuration = try PostgresConfiguration(url: url)
        configuration.role = "hivegate_app"
        return configuration
    }

    /// In the role of the application.
    package func pool(_ limits: PoolLimits = PoolLimits(), on loop: EventLoop) throws -> PostgresPool {
        PostgresPool(try configuration(), limits: limits, on: loop)
    }
}
