package import Base
package import Postgres

extension CatalogStore {
    /// The catalogue is another than the one that was compared.
    package struct Changed: Error, Equatable, CustomStringConvertible {
        package var description: String {
            "The catalogue was changed while its prices were compared. Run it again."
        }
    }

    /// Writes what an import changes, in a transaction of the instance's: the old price ends where the new one begins.
    ///
    /// - Parameter version: of the catalogue that the import was compared with.
    package static func write(
        _ changes: PriceImport, comparedWith version: Int64, at now: Timestamp,
        _ transaction: PostgresTransaction
    ) async throws {
        // Nobody else changes the catalogue until this ends.
        let current = try await transaction.query("SELECT version FROM catalog_version FOR UPDATE")[0]
            .decode(Int64.self)
        guard current == version else { throw Changed() }
        for change in changes.changes {
            if let old = change.old { try await end(old, of: change.model, at: now, transaction) }
            try await insert(change.new, of: change.model, transaction)
        }
        let compared = changes.changes.map(\.model) + changes.unchanged
        try await transaction.execute(
            """
            UPDATE models SET verified_on = (\(now) AT TIME ZONE 'UTC')::date
            WHERE id = ANY(\(compared)) AND source <> 'operator'
            """)
    }

    private static func end(
        _ price: ModelPrice, of model: String, at now: Timestamp, _ transaction: PostgresTransaction
    ) async throws {
        let ended = try await transaction.execute(
            """
            UPDATE model_prices SET effective_to = \(now)
            WHERE model_id = \(model) AND effective_from = \(price.from) AND source <> 'operator'
            """)
        guard ended == 1 else { throw Changed() }
    }

    private static func insert(
        _ price: ModelPrice, of model: String, _ transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            """
            INSERT INTO model_prices (model_id, effective_from, effective_to, input, cache_read, cache_write,
                cache_write_long, output, reasoning, audio_input, audio_output, image_output, image, request,
                search, second, character, long_above, long_input, long_output, source)
            VALUES (\(model), \(price.from), \(price.until), \(price.input), \(price.cacheRead),
                \(price.cacheWrite), \(price.cacheWriteLong), \(price.output), \(price.reasoning),
                \(price.audioInput), \(price.audioOutput), \(price.imageOutput), \(price.image),
                \(price.request), \(price.search), \(price.second), \(price.character),
                \(price.longContext?.above), \(price.longContext?.input), \(price.longContext?.output),
                \(price.source))
            """)
    }
}
