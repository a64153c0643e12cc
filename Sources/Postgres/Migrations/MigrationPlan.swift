package import Base

/// What has been applied to a database, and what would be.
package struct MigrationPlan: Sendable, Equatable {
    package let applied: [AppliedMigration]
    package let pending: [MigrationFile]

    /// Compares the files with what was applied. All faults are reported at once, each naming its file.
    init(files: [MigrationFile], applied: [AppliedMigration]) throws(PostgresError) {
        var faults: [String] = []
        var byVersion: [String: MigrationFile] = [:]
        for file in files {
            if let twin = byVersion.updateValue(file, forKey: file.version) {
                faults.append("\(twin.fileName) and \(file.fileName) have the same time")
            }
        }
        for migration in applied {
            guard let file = byVersion.removeValue(forKey: migration.version) else {
                faults.append("\(migration.fileName) was applied and its file is gone")
                continue
            }
            if file.name != migration.name {
                faults.append("\(file.fileName) was applied under the name \(migration.fileName)")
            }
            if file.checksum != migration.checksum {
                faults.append("\(file.fileName) was edited after it was applied")
            }
        }
        let pending = byVersion.values.sorted { $0.version < $1.version }
        if let newest = applied.max(by: { $0.version < $1.version }) {
            for file in pending where file.version < newest.version {
                faults.append("\(file.fileName) is older than \(newest.fileName), which is already applied")
            }
        }
        guard faults.isEmpty else {
            throw PostgresError(
                .migration, "The migrations do not fit the database: \(faults.joined(separator: "; ")).")
        }
        self.applied = applied
        self.pending = pending
    }
}

/// A row of `hivegate_migrations`.
package struct AppliedMigration: Sendable, Equatable {
    package let version: String
    package let name: String
    package let checksum: [UInt8]
    package let appliedAt: Timestamp

    package var fileName: String { "\(version)_\(name).sql" }
}
