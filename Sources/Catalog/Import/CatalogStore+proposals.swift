package import Base
package import Postgres

/// What an operator decides, in transactions of the instance's.
extension CatalogStore {
    /// The oldest first.
    package static func proposals(
        _ state: PriceProposal.State? = nil, after: UUID? = nil, limit: Int,
        _ transaction: PostgresTransaction
    ) async throws -> [PriceProposal] {
        try await transaction.query(
            """
            SELECT \(PriceProposal.columns) FROM price_proposals
            WHERE (\(state?.rawValue)::text IS NULL OR state = \(state?.rawValue))
                AND (\(after)::uuid IS NULL OR id > \(after))
            ORDER BY id LIMIT \(limit)
            """
        ).decode { row throws(PostgresError) in try PriceProposal(row) }
    }

    package static func proposal(
        _ id: UUID, _ transaction: PostgresTransaction
    ) async throws -> PriceProposal {
        try await proposal(id, forUpdate: false, transaction)
    }

    /// Makes its price hold from now on. What was is as it was.
    package static func approve(
        _ id: UUID, at now: Timestamp, by name: String, _ transaction: PostgresTransaction
    ) async throws {
        _ = try await holdCatalog(transaction)
        let proposal = try await openProposal(id, transaction)
        let prices = try await prices(of: proposal.model, transaction)
        let old = prices.last { $0.holds(at: now) }
        guard old?.from == proposal.comparedFrom, old?.from != now,
            !prices.contains(where: { $0.source == PriceImport.entered })
        else { throw PriceProposal.Fault.priceChanged }
        var new = proposal.price
        new.from = now
        new.until = old?.until ?? prices.map(\.from).filter { $0 > now }.min()
        try await replace(old, by: new, of: proposal.model, transaction)
        try await verified([proposal.model], at: now, transaction)
        try await close(id, .approved, at: now, by: name, transaction)
    }

    /// Its source may say the same again: it is not proposed again.
    package static func reject(
        _ id: UUID, at now: Timestamp, by name: String, _ transaction: PostgresTransaction
    ) async throws {
        _ = try await openProposal(id, transaction)
        try await close(id, .rejected, at: now, by: name, transaction)
    }

    /// All that a model has cost, costs and will cost; the oldest first.
    package static func prices(
        of model: String, _ transaction: PostgresTransaction
    ) async throws -> [ModelPrice] {
        try await transaction.query(
            """
            SELECT effective_from, effective_to, \(ModelPrice.columns), source FROM model_prices
            WHERE model_id = \(model) ORDER BY effective_from
            """
        ).decode { row throws(PostgresError) in try ModelPrice(row) }
    }

    private static func proposal(
        _ id: UUID, forUpdate: Bool, _ transaction: PostgresTransaction
    ) async throws -> PriceProposal {
        let rows = try await transaction.query(
            """
            SELECT \(PriceProposal.columns) FROM price_proposals WHERE id = \(id)
            \(forUpdate ? "FOR UPDATE" : "" as SQL)
            """)
        guard let row = rows.first else { throw PriceProposal.Fault.absent }
        return try PriceProposal(row)
    }

    private static func openProposal(
        _ id: UUID, _ transaction: PostgresTransaction
    ) async throws -> PriceProposal {
        let proposal = try await proposal(id, forUpdate: true, transaction)
        guard proposal.state == .open else { throw PriceProposal.Fault.decided(proposal.state) }
        return proposal
    }

    private static func close(
        _ id: UUID, _ state: PriceProposal.State, at now: Timestamp, by name: String,
        _ transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            """
            UPDATE price_proposals SET state = \(state.rawValue), decided_at = \(now), decided_by = \(name)
            WHERE id = \(id)
            """)
    }
}
