import Base
import Catalog
import Testing

struct ModelPriceTests {
    private static let summer = Timestamp(seconds: 1_780_000_000)
    private static let autumn = Timestamp(seconds: 1_790_000_000)
    private static let winter = Timestamp(seconds: 1_800_000_000)
    private static let step = Duration.microseconds(1)
    private static let before = Duration.microseconds(-1)

    /// Cheaper in autumn, and then nobody knows until winter.
    private let model = CatalogModel("acme", "one") {
        $0.prices = [
            ModelPrice(from: summer, until: autumn, input: 3_000_000, output: 15_000_000),
            ModelPrice(from: autumn, until: autumn + .seconds(100), input: 2_000_000, output: 10_000_000),
            ModelPrice(from: winter, input: 1_000_000, output: 5_000_000),
        ]
    }

    @Test func `a price holds from its first moment until before the first of the next`() {
        func input(_ now: Timestamp) -> Int? { model.price(at: now)?.input }
        #expect(input(Self.summer + Self.before) == nil)
        #expect(input(Self.summer) == 3_000_000)
        #expect(input(Self.autumn + Self.before) == 3_000_000)
        #expect(input(Self.autumn) == 2_000_000)
        #expect(input(Self.autumn + .seconds(100) + Self.before) == 2_000_000)
        #expect(input(Self.autumn + .seconds(100)) == nil)
        #expect(input(Self.winter + Self.before) == nil)
        #expect(input(Self.winter) == 1_000_000)
        #expect(input(Timestamp(microseconds: .max)) == 1_000_000)
    }

    @Test func `searches choose the price of their moment, too`() {
        let snapshot = CatalogSnapshot([model])
        func isFound(_ most: Int, _ now: Timestamp) -> Bool {
            snapshot.search(CatalogQuery { $0.highestInputPrice = most }, limit: 1, at: now).total == 1
        }
        #expect(!isFound(2_999_999, Self.summer) && isFound(3_000_000, Self.summer))
        #expect(!isFound(2_500_000, Self.autumn + Self.before) && isFound(2_500_000, Self.autumn))
        #expect(!isFound(.max, Self.autumn + .seconds(100)))
        #expect(isFound(1_000_000, Self.winter) && !isFound(1_000_000, Self.winter + Self.before))
    }

    @Test func `what has no known price is not free`() {
        #expect(ModelPrice(from: Self.summer, input: 0, output: 0).isFree)
        #expect(!ModelPrice(from: Self.summer, input: 0).isFree)
        #expect(!ModelPrice(from: Self.summer).isFree)
        #expect(!ModelPrice(from: Self.summer, input: 0, output: 0) { $0.request = 1 }.isFree)
        #expect(!ModelPrice(from: Self.summer, input: 0, output: 1).isFree)
        #expect(
            !ModelPrice(from: Self.summer, input: 0, output: 0) {
                $0.longContext = .init(above: 1000, input: 5, output: nil)
            }.isFree)
        let unpriced = CatalogSnapshot([CatalogModel("acme", "unpriced")])
        func total(_ change: (inout CatalogQuery) -> Void) -> Int {
            unpriced.search(CatalogQuery(change), limit: 1, at: Self.summer).total
        }
        #expect(total { $0.isFree = true } == 0 && total { $0.isFree = false } == 1)
        #expect(total { $0.highestInputPrice = .max } == 0 && total { $0.highestOutputPrice = .max } == 0)
    }

    @Test func `nano-dollars are rounded up, so that no ceiling is broken`() {
        let price = ModelPrice(from: Self.summer, input: 3625, output: 0)
        #expect(price.inputNanodollars == 4 && price.outputNanodollars == 0)
        #expect(ModelPrice(from: Self.summer, input: 5000).inputNanodollars == 5)
        #expect(ModelPrice(from: Self.summer).inputNanodollars == nil)
        #expect(ModelPrice(from: Self.summer, input: .max, output: 1).ofUsualMix == .max)
    }
}
