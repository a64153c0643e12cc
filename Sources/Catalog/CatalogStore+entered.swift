import Base
package import Postgres

/// Models that were entered here. No release changes them.
extension CatalogStore {
    private static let source = "operator"

    /// Adds models in a transaction of the instance's.
    package static func add(_ models: [CatalogModel], _ transaction: PostgresTransaction) async throws {
        for model in models {
            try await transaction.execute(
                """
                INSERT INTO models (id, provider, upstream_name, slug, family, title, mode, context_tokens,
                    max_output_tokens, input_modalities, output_modalities, capabilities, source, verified_on)
                VALUES (\(model.id), \(model.provider), \(model.upstreamName), \(model.slug), \(model.family),
                    \(model.title), \(model.mode.rawValue), \(model.contextTokens), \(model.maxOutputTokens),
                    \(model.inputModalities.map(\.rawValue)), \(model.outputModalities.map(\.rawValue)),
                    \(model.capabilities.map(\.rawValue)), \(source),
                    (\(model.verifiedOn) AT TIME ZONE 'UTC')::date)
                """)
            for price in model.prices {
                try await transaction.execute(
                    """
                    INSERT INTO model_prices (model_id, effective_from, input, output, source)
                    VALUES (\(model.id), \(price.from), \(price.input), \(price.output), \(source))
                    """)
            }
        }
    }

    /// Takes away what was entered for a provider, in a transaction of the instance's.
    package static func removeAll(of provider: String, _ transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            "DELETE FROM models WHERE provider = \(provider) AND source = \(source)")
    }
}
