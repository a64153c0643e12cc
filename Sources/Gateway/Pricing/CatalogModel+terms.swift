import Base
import Catalog
import Identity

extension CatalogModel {
    /// What it costs an organization at that moment: its own price, and the list's where that is silent. nil where
    /// neither is known.
    func price(on terms: OrganizationTerms?, at now: Timestamp) -> PriceInForce? {
        let list = priceInForce(at: now)
        guard let own = terms?.prices[id]?.last(where: { $0.holds(at: now) }) else { return list }
        return PriceInForce(own.price.laid(over: list?.price))
    }
}

extension PriceTerm {
    fileprivate var price: ModelPrice {
        var price = ModelPrice(from: from, until: until)
        price.override = id
        price.longContext = amounts["long_above"].map { .init(above: $0, input: nil, output: nil) }
        for column in PriceColumn.allCases { price[column] = amounts[column.rawValue] }
        return price
    }
}
