import Base
import Postgres

/// The time zones that the database knows. Read once: it looks through all their files each time.
final class TimeZoneNames: Sendable {
    /// By their names in small letters.
    private let names = Locked<[String: String]?>(nil)

    /// The zone as the database spells it; nil where there is none of this name.
    func name(like wanted: String, in pool: PostgresPool) async throws -> String? {
        if let known = names.withLock({ $0 }) { return known[wanted.lowercased()] }
        let found = try await pool.transaction(in: .system, readOnly: true) { transaction in
            try await transaction.query(
                "SELECT name FROM pg_timezone_names WHERE name NOT LIKE 'posix%' AND name <> 'localtime'"
            ).decode(String.self)
        }
        let known = Dictionary(found.map { ($0.lowercased(), $0) }) { first, _ in first }
        names.withLock { $0 = known }
        return known[wanted.lowercased()]
    }
}

extension IdentityStore {
    /// The zone as the database spells it; nil where there is none of this name.
    package func timeZone(like wanted: String) async throws -> String? {
        try await timeZones.name(like: wanted, in: pool)
    }
}
