package import Base
import Postgres

/// What one organization pays for a model for a time.
package struct PriceOverride: Equatable, Sendable {
    package let id: UUID
    package let organization: UUID
    package let model: String
    /// nil in it: as the list price has it.
    package let price: ModelPrice

    /// Why it cannot be.
    package enum Fault: Error, Equatable {
        case noModel
        /// There is one that begins later, and this would not have ended by then.
        case overlaps
        case tooMany
    }

    package init(id: UUID, organization: UUID, model: String, price: ModelPrice) {
        self.id = id
        self.organization = organization
        self.model = model
        self.price = price
    }

    // MARK: In the database

    static let columns: SQL = "id, org_id, model_id, effective_from, effective_to, \(ModelPrice.columns)"

    init(_ row: PostgresRow) throws(PostgresError) {
        var price = ModelPrice(
            from: try row.decode(Timestamp.self, "effective_from"),
            until: try row.decode(Timestamp?.self, "effective_to"))
        try price.read(row)
        price.source = Self.source
        price.override = try row.decode(UUID.self, "id")
        self.init(
            id: try row.decode(UUID.self, "id"), organization: try row.decode(UUID.self, "org_id"),
            model: try row.decode(String.self, "model_id"), price: price)
    }

    /// Where its price is from.
    private static let source = "override"
}

extension ModelPrice {
    /// This where it says something, and what `list` says where it is silent. It goes by the list price's name.
    package func laid(over list: ModelPrice?) -> ModelPrice {
        guard var price = list else { return self }
        if let own = longContext {
            price.longContext = LongContext(
                above: own.above, input: own.input ?? list?.longContext?.input,
                output: own.output ?? list?.longContext?.output)
        }
        for column in PriceColumn.allCases {
            if let amount = self[column] { price[column] = amount }
        }
        price.override = override
        return price
    }
}
