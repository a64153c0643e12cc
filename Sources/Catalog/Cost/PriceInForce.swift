package import Base

/// A price of the catalogue, by reference: what is done for a request carries it along.
package struct PriceInForce: Sendable {
    private let prices: [ModelPrice]
    private let position: Int

    fileprivate init(_ prices: [ModelPrice], at position: Int) {
        self.prices = prices
        self.position = position
    }

    package init(_ price: ModelPrice) { self.init([price], at: 0) }

    /// Of what asks nothing for anything.
    package static let free = PriceInForce(ModelPrice(from: Timestamp(microseconds: 0), input: 0, output: 0))

    package var price: ModelPrice { prices[position] }
    /// The first moment at which the list price holds: with the model, its name.
    package var from: Timestamp { prices[position].from }
    package var input: Int? { prices[position].input }
    package var output: Int? { prices[position].output }

    package func cost(of use: Consumption) -> Int64? { prices[position].cost(of: use) }
    package func ceiling(of demand: Demand) -> Int64? { prices[position].ceiling(of: demand) }
}

extension PriceInForce: Equatable {
    package static func == (left: PriceInForce, right: PriceInForce) -> Bool { left.price == right.price }
}

extension CatalogModel {
    /// What it costs at that moment; nil where that is not known.
    package func priceInForce(at now: Timestamp) -> PriceInForce? {
        prices.lastIndex { $0.holds(at: now) }.map { PriceInForce(prices, at: $0) }
    }
}
