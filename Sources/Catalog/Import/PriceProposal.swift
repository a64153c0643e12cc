package import Base
import Postgres

/// A price that an import has not applied: an operator says what becomes of it.
package struct PriceProposal: Sendable {
    package let id: UUID
    package let model: String
    /// The whole price as it would hold; from when, the approval says.
    package let price: ModelPrice
    package let reasons: [PriceImport.Reason]
    /// When the price began that it was compared with; nil: none was known.
    package let comparedFrom: Timestamp?
    package let state: State
    package let proposedAt: Timestamp
    package let proposedBy: String
    package let decidedAt: Timestamp?
    package let decidedBy: String?

    package enum State: String, CaseIterable, Sendable {
        case open, approved, rejected
        /// Its source says something else by now.
        case withdrawn
    }

    package var source: String { price.source }

    /// Nothing can be decided any more.
    package enum Fault: Error, Equatable, CustomStringConvertible {
        case absent
        case decided(State)
        /// Another price than the one that it was compared with is in force.
        case priceChanged

        package var description: String {
            switch self {
            case .absent: "There is no such proposal."
            case .decided(let state): "The proposal is \(state.rawValue) already."
            case .priceChanged:
                "The price of the model has changed since this was proposed. Reject it, and import the list again."
            }
        }
    }

    // MARK: In the database

    static let columns: SQL = """
        id, model_id, \(ModelPrice.columns), source, reasons, compared_from, state, proposed_at, proposed_by,
        decided_at, decided_by
        """

    init(_ row: PostgresRow) throws(PostgresError) {
        id = try row.decode(UUID.self, "id")
        model = try row.decode(String.self, "model_id")
        proposedAt = try row.decode(Timestamp.self, "proposed_at")
        var price = ModelPrice(from: proposedAt)
        try price.read(row)
        price.source = try row.decode(String.self, "source")
        self.price = price
        reasons = try row.decode([String].self, "reasons").compactMap { PriceImport.Reason(text: $0) }
        comparedFrom = try row.decode(Timestamp?.self, "compared_from")
        guard let state = State(rawValue: try row.decode(String.self, "state")) else {
            throw PostgresError(.decoding, "a proposal in a state that is not known")
        }
        self.state = state
        proposedBy = try row.decode(String.self, "proposed_by")
        decidedAt = try row.decode(Timestamp?.self, "decided_at")
        decidedBy = try row.decode(String?.self, "decided_by")
    }
}
