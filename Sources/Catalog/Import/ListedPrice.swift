import JSON

/// What a list of prices says of one model.
package struct ListedPrice: Equatable, Sendable {
    /// As the list names it, for who reads of it.
    package var name: String
    /// The id that the model has in the catalogue if it is in there.
    package var id: String
    /// What the model may be called at its maker's, where the price is the maker's too.
    package var makersName: String?
    package var amounts: [PriceColumn: Int] = [:]
    /// More input than this is much.
    package var longAbove: Int?
    /// What is wrong with it.
    package var faults: [String] = []

    package init(_ name: String, id: String) {
        self.name = name
        self.id = id
    }

    /// Takes a price in dollars. What is absent or empty says nothing.
    mutating func take(_ text: String?, as column: PriceColumn, perMillion: Bool = false) {
        guard let text, !text.isEmpty else { return }
        if let amount = Picodollars.read(text, perMillion: perMillion) {
            amounts[column] = amount
        } else {
            faults.append("\(column.rawValue) is \"\(text.prefix(40))\", which is no price")
        }
    }
}

/// Lists of prices that can be read.
package enum PriceFormat: String, CaseIterable, Sendable {
    /// `model_prices_and_context_window.json` of LiteLLM.
    case litellm
    /// The answer of OpenRouter's `/api/v1/models`.
    case openRouter = "openrouter"
    /// A table with the columns of `catalog/models.csv`.
    case hivegate

    /// The list cannot be read at all.
    package struct Unreadable: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Which of them a list is: no two begin alike.
    package init(of bytes: [UInt8]) {
        let isJSON = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == 0x7B
        guard isJSON else {
            self = .hivegate
            return
        }
        let document = try? JSONDocument(parsing: bytes)
        self = document?["data"]?.kind == .array ? .openRouter : .litellm
    }

    package func read(_ bytes: [UInt8]) throws(Unreadable) -> [ListedPrice] {
        switch self {
        case .litellm: try LiteLLMPrices.read(bytes)
        case .openRouter: try OpenRouterPrices.read(bytes)
        case .hivegate: try PriceTable.read(bytes)
        }
    }

    /// Where a price from such a list is from, as the catalogue says it.
    package var source: String { self == .hivegate ? "imported" : rawValue }
}
