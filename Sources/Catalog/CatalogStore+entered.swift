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

    /// The price of a model is another one from some moment on, in a transaction of the instance's. The one that holds then
    /// ends there, and one that is announced for later still comes.
    ///
    /// - Parameter known: all prices of the model as they are thought to be: of two who enter one at once, one is refused.
    package static func enter(
        _ price: ModelPrice, of model: String, after known: [ModelPrice], _ transaction: PostgresTransaction
    ) async throws {
        _ = try await holdCatalog(transaction)
        let prices = try await prices(of: model, transaction)
        guard prices == known, !prices.contains(where: { $0.from == price.from }) else { throw Changed() }
        let old = prices.last { $0.holds(at: price.from) }
        var new = price
        new.until = old?.until ?? prices.map(\.from).filter { $0 > price.from }.min()
        new.source = source
        try await replace(old, by: new, of: model, transaction)
    }

    /// Takes away what was entered for a provider, in a transaction of the instance's.
    package static func removeAll(of provider: String, _ transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            "DELETE FROM models WHERE provider = \(provider) AND source = \(source)")
    }
}
