import Base
import Postgres

extension PostgresTransaction {
    /// Notes that what processes remember of the organization's keys is wrong once this transaction commits. The row
    /// stays locked until then, so generations follow the order of the commits.
    func raiseKeyGeneration(of organization: UUID) async throws -> Int64 {
        try await query(
            """
            UPDATE organizations SET key_generation = key_generation + 1 WHERE id = \(organization)
            RETURNING key_generation
            """)[0].decode(Int64.self)
    }
}
