import Base
import Catalog
import Testing

/// What one organization pays lies over what all do.
struct PriceOverrideTests {
    private static let list = ModelPrice(from: Timestamp(seconds: 5), input: 3, output: 15) {
        ($0.cacheRead, $0.search, $0.source) = (1, 100, "litellm")
        $0.longContext = .init(above: 1000, input: 6, output: 22)
    }
    private static let later = Timestamp(seconds: 9)

    @Test func `what it is silent about is as in the list`() {
        let own = ModelPrice(from: Self.later, input: 2) { $0.cacheWrite = 4 }
        let price = own.laid(over: Self.list)
        var expected = Self.list
        (expected.input, expected.cacheWrite) = (2, 4)
        #expect(price == expected)
    }

    @Test func `a price of nothing is one, and is not silence`() {
        let price = ModelPrice(from: Self.later, input: 0).laid(over: Self.list)
        #expect(price.input == 0 && price.output == 15)
    }

    @Test func `a long request has its own band, and what that is silent about is the list's`() {
        let own = ModelPrice(from: Self.later) { $0.longContext = .init(above: 2000, input: 5, output: nil) }
        #expect(own.laid(over: Self.list).longContext == .init(above: 2000, input: 5, output: 22))
    }

    @Test func `where no list price is known its own is all there is`() {
        let own = ModelPrice(from: Self.later, input: 2, output: 3)
        #expect(own.laid(over: nil) == own)
    }
}
