import Base
package import Postgres

/// The catalogue in the database.
package struct CatalogStore: Sendable {
    private let pool: PostgresPool

    package init(_ pool: PostgresPool) { self.pool = pool }

    package struct Contents: Sendable {
        package var models: [CatalogModel]
        package var version: Int64
    }

    /// A catalogue of more is not taken in whole.
    package static let largestCount = 50_000

    /// Everything, as of one moment; nil where it is still as it was in `known`.
    package func load(unless known: Int64? = nil) async throws -> Contents? {
        let rows = try await pool.transaction(isolation: .repeatableRead, readOnly: true) {
            transaction -> (version: Int64, models: PostgresRows, prices: PostgresRows)? in
            let version = try await transaction.query("SELECT version FROM catalog_version")[0].decode(
                Int64.self)
            if version == known { return nil }
            return (
                version, try await transaction.query(Self.models), try await transaction.query(Self.prices)
            )
        }
        guard let rows else { return nil }
        // Not on the loop, which has requests to answer: thousands of rows take a while.
        return try await Task.detached {
            Contents(models: try Self.models(rows.models, rows.prices), version: rows.version)
        }.value
    }

    private static func models(_ rows: PostgresRows, _ priceRows: PostgresRows) throws(PostgresError)
        -> [CatalogModel]
    {
        var prices: [String: [ModelPrice]] = [:]
        for row in priceRows {
            prices[try row.decode(String.self, "model_id"), default: []].append(try ModelPrice(row))
        }
        var models: [CatalogModel] = []
        models.reserveCapacity(rows.count)
        for row in rows {
            // A newer program may have modes that this one does not know.
            guard var model = try CatalogModel(row) else { continue }
            model.prices = prices[model.id] ?? []
            models.append(model)
        }
        return models
    }

    private static let models: SQL = """
        SELECT provider, upstream_name, slug, family, title, mode, aliases, context_tokens, max_output_tokens,
            input_modalities, output_modalities, capabilities, regions, may_be_retained, tokenizer_factor,
            released_on::timestamp AT TIME ZONE 'UTC' AS released_on,
            deprecated_on::timestamp AT TIME ZONE 'UTC' AS deprecated_on,
            shutdown_on::timestamp AT TIME ZONE 'UTC' AS shutdown_on, replacement, source,
            verified_on::timestamp AT TIME ZONE 'UTC' AS verified_on
        FROM models ORDER BY id LIMIT \(largestCount)
        """

    private static let prices: SQL = """
        SELECT model_id, effective_from, effective_to, \(ModelPrice.columns), source FROM model_prices ORDER BY model_id, effective_from
        """
}

extension CatalogModel {
    fileprivate init?(_ row: PostgresRow) throws(PostgresError) {
        guard let mode = Mode(rawValue: try row.decode(String.self, "mode")) else { return nil }
        self.init(
            try row.decode(String.self, "provider"), try row.decode(String.self, "upstream_name"), mode: mode,
            verifiedOn: try row.decode(Timestamp.self, "verified_on"))
        slug = try row.decode(String.self, "slug")
        family = try row.decode(String.self, "family")
        title = try row.decode(String.self, "title")
        aliases = try row.decode([String].self, "aliases")
        contextTokens = try row.decode(Int?.self, "context_tokens")
        maxOutputTokens = try row.decode(Int?.self, "max_output_tokens")
        inputModalities = try Self.names(row, "input_modalities")
        outputModalities = try Self.names(row, "output_modalities")
        capabilities = try Self.names(row, "capabilities")
        regions = try row.decode([String].self, "regions")
        mayBeRetained = try row.decode(Bool?.self, "may_be_retained")
        tokenizerFactor = try row.decode(Int32?.self, "tokenizer_factor").map { Int($0) }
        releasedOn = try row.decode(Timestamp?.self, "released_on")
        deprecatedOn = try row.decode(Timestamp?.self, "deprecated_on")
        shutdownOn = try row.decode(Timestamp?.self, "shutdown_on")
        replacement = try row.decode(String?.self, "replacement")
        source = try row.decode(String.self, "source")
    }

    /// Those that are known, in the order in which they are declared.
    private static func names<Name: CaseIterable & RawRepresentable<String>>(
        _ row: PostgresRow, _ column: String
    ) throws(PostgresError) -> [Name] {
        let names = try row.decode([String].self, column)
        return Name.allCases.filter { names.contains($0.rawValue) }
    }
}

extension ModelPrice {
    init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            from: try row.decode(Timestamp.self, "effective_from"),
            until: try row.decode(Timestamp?.self, "effective_to"))
        try read(row)
        source = try row.decode(String.self, "source")
    }
}
