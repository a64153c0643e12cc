import Base

/// What a source says of a model.
package struct PriceListing: Equatable, Sendable {
    package var model: String
    package var source: String
    package var amounts: [PriceColumn: Int]
    /// More input than this is much.
    package var longAbove: Int?

    package init(
        _ model: String, source: String, amounts: [PriceColumn: Int], longAbove: Int? = nil
    ) {
        self.model = model
        self.source = source
        self.amounts = amounts
        self.longAbove = longAbove
    }

    /// Both of what two sources say that agree: the other one speaks where this one is silent.
    func joined(with other: PriceListing) -> PriceListing {
        var joined = self
        joined.amounts.merge(other.amounts) { mine, _ in mine }
        joined.longAbove = longAbove ?? other.longAbove
        return joined
    }

    /// What both say, and differently.
    func disputes(with other: PriceListing) -> [PriceColumn] {
        if source == other.source { return [] }
        let isOtherLength =
            longAbove != nil && other.longAbove != nil && longAbove != other.longAbove
        return PriceColumn.allCases.filter { column in
            guard let mine = amounts[column], let theirs = other.amounts[column] else { return false }
            return mine != theirs || isOtherLength && [.longInput, .longOutput].contains(column)
        }
    }

    /// The price of a model where this is so.
    func price(after old: ModelPrice?) -> ModelPrice {
        var new = old ?? ModelPrice(from: Timestamp(microseconds: 0))
        if let longAbove {
            new.longContext = .init(
                above: longAbove, input: amounts[.longInput] ?? old?.longContext?.input,
                output: amounts[.longOutput] ?? old?.longContext?.output)
        }
        for (column, amount) in amounts { new[column] = amount }
        new.source = source
        return new
    }
}
