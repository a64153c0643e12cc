package import Base
package import Postgres

extension CatalogStore {
    /// The catalogue is another than the one that was compared.
    package struct Changed: Error, Equatable, CustomStringConvertible {
        package var description: String {
            "The catalogue was changed while its prices were compared. Run it again."
        }
    }

    /// Writes what an import changes, in a transaction of the instance's: the old price ends where the new one begins, and
    /// what is quarantined waits for an operator.
    ///
    /// - Parameter version: of the catalogue that the import was compared with.
    /// - Parameter name: who imports.
    package static func write(
        _ changes: PriceImport, comparedWith version: Int64, at now: Timestamp, by name: String,
        _ transaction: PostgresTransaction
    ) async throws {
        guard try await holdCatalog(transaction) == version else { throw Changed() }
        for change in changes.changes {
            try await replace(change.old, by: change.new, of: change.model, transaction)
        }
        let compared = changes.changes.map(\.model) + changes.unchanged
        try await verified(compared, at: now, transaction)
        try await transaction.execute(
            """
            UPDATE price_proposals SET state = 'withdrawn', decided_at = \(now), decided_by = \(name)
            WHERE state = 'open' AND id = ANY(\(changes.withdrawn))
            """)
        for change in changes.quarantined { try await propose(change, at: now, by: name, transaction) }
        try await note(changes, at: now, transaction)
    }

    /// Nobody else changes the catalogue until the transaction ends. Says the version.
    static func holdCatalog(_ transaction: PostgresTransaction) async throws -> Int64 {
        try await transaction.query("SELECT version FROM catalog_version FOR UPDATE")[0].decode(Int64.self)
    }

    /// A price begins where the one before it ends.
    static func replace(
        _ old: ModelPrice?, by new: ModelPrice, of model: String, _ transaction: PostgresTransaction
    ) async throws {
        if let old {
            let ended = try await transaction.execute(
                """
                UPDATE model_prices SET effective_to = \(new.from)
                WHERE model_id = \(model) AND effective_from = \(old.from) AND effective_from < \(new.from)
                """)
            guard ended == 1 else { throw Changed() }
        }
        try await transaction.execute(
            """
            INSERT INTO model_prices (model_id, effective_from, effective_to, \(ModelPrice.columns), source)
            VALUES (\(model), \(new.from), \(new.until), \(new.values), \(new.source))
            """)
    }

    /// They were compared with their source.
    static func verified(
        _ models: [String], at now: Timestamp, _ transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            """
            UPDATE models SET verified_on = (\(now) AT TIME ZONE 'UTC')::date
            WHERE id = ANY(\(models)) AND source <> 'operator'
            """)
    }

    private static func propose(
        _ change: PriceImport.Change, at now: Timestamp, by name: String, _ transaction: PostgresTransaction
    ) async throws {
        // Somebody who imports the same list at the same time proposes the same.
        try await transaction.execute(
            """
            INSERT INTO price_proposals (id, model_id, \(ModelPrice.columns), source, reasons, compared_from,
                proposed_at, proposed_by)
            VALUES (\(UUID.make(at: now)), \(change.model), \(change.new.values), \(change.new.source),
                \(change.reasons.map(\.text)), \(change.old?.from), \(now), \(name))
            ON CONFLICT DO NOTHING
            """)
    }

    /// What the lists say is remembered in place of what they have said.
    private static func note(
        _ changes: PriceImport, at now: Timestamp, _ transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute("DELETE FROM price_listings WHERE source = ANY(\(changes.sources))")
        let listings = changes.listings
        try await transaction.execute(
            """
            INSERT INTO price_listings (source, model_id, prices, listed_at)
            SELECT source, model, prices::jsonb, \(now) FROM unnest(
                \(listings.map(\.source)), \(listings.map(\.model)), \(listings.map(\.json))
            ) AS said (source, model, prices)
            ON CONFLICT DO NOTHING
            """)
    }
}
