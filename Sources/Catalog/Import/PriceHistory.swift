import Base
import JSON
package import Postgres

/// What lists have said before, and what became of it.
package struct PriceHistory: Sendable {
    /// The last of each source, by model.
    package var listings: [String: [PriceListing]] = [:]
    /// What waits for an operator.
    package var open: [PriceProposal] = []
    /// The last price of each source that was rejected, by model.
    package var rejected: [String: [ModelPrice]] = [:]

    package init() {}

    /// In a transaction of the instance's.
    package static func load(_ transaction: PostgresTransaction) async throws -> PriceHistory {
        var history = PriceHistory()
        let most = CatalogStore.largestCount
        for row in try await transaction.query(
            "SELECT model_id, source, prices FROM price_listings ORDER BY model_id, source LIMIT \(most)")
        {
            let (model, source, prices) = try row.decode((String, String, PostgresJSON).self)
            history.listings[model, default: []].append(try PriceListing(model, source: source, prices))
        }
        history.open = try await CatalogStore.proposals(.open, limit: most, transaction)
        for row in try await transaction.query(
            """
            SELECT DISTINCT ON (model_id, source) \(PriceProposal.columns) FROM price_proposals
            WHERE state = 'rejected' ORDER BY model_id, source, decided_at DESC LIMIT \(most)
            """)
        {
            let proposal = try PriceProposal(row)
            history.rejected[proposal.model, default: []].append(proposal.price)
        }
        return history
    }
}

extension PriceListing {
    private static let longAbove = "long_above"

    fileprivate init(_ model: String, source: String, _ prices: PostgresJSON) throws {
        self.init(model, source: source, amounts: [:])
        for member in try JSONDocument(parsing: prices.bytes).root.members {
            let name = member.key.string
            if name == Self.longAbove { longAbove = member.value.int }
            if let column = PriceColumn(rawValue: name) { amounts[column] = member.value.int }
        }
    }

    /// For the database.
    var json: String {
        var json = JSONWriter()
        json.object { json in
            for column in PriceColumn.allCases {
                guard let amount = amounts[column] else { continue }
                json.key(dynamic: column.rawValue)
                json.value(amount)
            }
            if let longAbove { json.field("long_above", longAbove) }
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
