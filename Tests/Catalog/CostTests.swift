import Base
import Catalog
import Chat
import Testing

/// What was used costs, to the nano-dollar.
struct CostTests {
    private static let start = Timestamp(microseconds: 0)
    /// Dollars for a million tokens, in pico-dollars for one.
    private static let dollar = 1_000_000

    private static func price(
        _ input: Int?, _ output: Int?, _ change: (inout ModelPrice) -> Void = { _ in }
    ) -> ModelPrice {
        ModelPrice(
            from: start, input: input.map { $0 * dollar }, output: output.map { $0 * dollar }, change)
    }

    private static let sonnet = price(3, 15) {
        ($0.cacheRead, $0.cacheWrite, $0.cacheWriteLong) = (300_000, 3_750_000, 6_000_000)
    }

    @Test func `a prompt that is kept and answered costs what its provider asks for it`() {
        let usage = ChatUsage(input: 3, cacheWrite: 12_304, output: 550)
        #expect(Self.sonnet.cost(of: Consumption(usage)) == 54_399_000)
    }

    @Test func `each kind of token has its own price, and no other's`() {
        let price = ModelPrice(from: Self.start, input: 2_000, output: 13_000) {
            ($0.cacheRead, $0.cacheWrite, $0.cacheWriteLong) = (3_000, 5_000, 7_000)
            ($0.reasoning, $0.audioInput, $0.audioOutput, $0.imageOutput) = (11_000, 17_000, 19_000, 23_000)
        }
        var image = ChatUsage()
        image.imageOutput = 10
        let cases: [(usage: ChatUsage, cost: Int64)] = [
            (ChatUsage(input: 10), 20), (ChatUsage(cacheRead: 10), 30), (ChatUsage(cacheWrite: 10), 50),
            (ChatUsage(cacheWriteHour: 10), 70), (ChatUsage(reasoning: 10), 110),
            (ChatUsage(output: 10), 130), (ChatUsage(audioInput: 10), 170), (ChatUsage(audioOutput: 10), 190),
            (image, 230),
        ]
        for each in cases {
            #expect(price.cost(of: Consumption(each.usage)) == each.cost, "\(each.usage)")
        }
        #expect(price.cost(of: Consumption()) == 0)
    }

    @Test func `calls, images, searches, seconds and characters cost what one costs, times their number`() {
        let price = ModelPrice(from: Self.start) {
            ($0.request, $0.image, $0.search, $0.second, $0.character) = (2000, 3000, 5000, 7000, 11_000)
        }
        let use = Consumption {
            ($0.requests, $0.images, $0.searches, $0.seconds, $0.characters) = (1, 10, 100, 1000, 10_000)
        }
        #expect(price.cost(of: use) == Int64(2 + 30 + 500 + 7000 + 110_000))
        #expect(Self.price(1, 1).cost(of: Consumption { $0.searches = 1 }) == nil)
        #expect(Self.price(1, 1).cost(of: Consumption { $0.seconds = 1 }) == nil)
        #expect(Self.price(1, 1).cost(of: Consumption { $0.characters = 1 }) == nil)
    }

    @Test func `the sum is rounded once, half up`() {
        let price = ModelPrice(from: Self.start, input: 250, output: 249) { $0.cacheRead = 1 }
        func cost(_ usage: ChatUsage) -> Int64? { price.cost(of: Consumption(usage)) }
        #expect(cost(ChatUsage(input: 1)) == 0)
        #expect(cost(ChatUsage(input: 2)) == 1)
        // 499 pico-dollars; each kind rounded by itself would be nothing, too, but three of them more.
        #expect(cost(ChatUsage(input: 1, output: 1)) == 0)
        #expect(cost(ChatUsage(input: 1, cacheRead: 1, output: 1)) == 1)
        #expect(cost(ChatUsage(input: 6)) == 2)
    }

    @Test
    func
        `thoughts cost as other output, and what is read from a cache as what is not, unless they have a price`()
    {
        let price = Self.price(2, 8)
        #expect(price.cost(of: Consumption(ChatUsage(reasoning: 100))) == 800_000)
        #expect(price.cost(of: Consumption(ChatUsage(cacheRead: 100))) == 200_000)
    }

    @Test func `what may cost more than text has no price as long as nobody says it`() {
        var (seen, drawn) = (ChatUsage(), ChatUsage())
        seen.imageInput = 1
        drawn.imageOutput = 1
        let unknown = [
            ChatUsage(cacheWrite: 1), ChatUsage(cacheWriteHour: 1), ChatUsage(audioInput: 1),
            ChatUsage(audioOutput: 1), seen, drawn,
        ]
        let free = Self.price(0, 0)
        for usage in unknown {
            #expect(Self.price(2, 8).cost(of: Consumption(usage)) == nil, "\(usage)")
            #expect(free.cost(of: Consumption(usage)) == 0, "\(usage)")
        }
        #expect(Self.price(nil, 8).cost(of: Consumption(ChatUsage(input: 1))) == nil)
        #expect(Self.price(2, nil).cost(of: Consumption(ChatUsage(reasoning: 1))) == nil)
        // What is not used needs none.
        #expect(Self.price(nil, 8).cost(of: Consumption(ChatUsage(output: 1))) == 8000)
    }

    @Test func `much input makes every token dearer, by as much as it does the plain one`() {
        let price = Self.price(3, 15) {
            ($0.cacheRead, $0.cacheWrite) = (300_000, 3_750_000)
            $0.longContext = ModelPrice.LongContext(above: 1000, input: 6_000_000, output: 22_500_000)
        }
        func cost(_ usage: ChatUsage) -> Int64? { price.cost(of: Consumption(usage)) }
        #expect(cost(ChatUsage(input: 1000, output: 1)) == Int64(3_000_000 + 15_000))
        #expect(cost(ChatUsage(input: 1001, output: 1)) == Int64(6_006_000 + 22_500))
        // What was kept is input, too.
        #expect(cost(ChatUsage(input: 1, cacheRead: 1000)) == Int64(6000 + 600_000))
        #expect(cost(ChatUsage(cacheWrite: 1001, reasoning: 2)) == Int64(7_507_500 + 45_000))
        #expect(cost(ChatUsage(input: 500, output: 5000)) == Int64(1_500_000 + 75_000_000))
        let onlyOutput = Self.price(3, 15) {
            $0.longContext = ModelPrice.LongContext(above: 1000, input: nil, output: 30_000_000)
        }
        #expect(
            onlyOutput.cost(of: Consumption(ChatUsage(input: 2000, output: 1))) == Int64(6_000_000 + 30_000))
    }

    @Test func `an image is paid for once`() {
        var told = ChatUsage(input: 10)
        told.imageOutput = 100
        func use(_ usage: ChatUsage) -> Consumption { Consumption(usage) { $0.images = 2 } }
        let byTokens = Self.price(5, nil) { $0.imageOutput = 40_000_000 }
        #expect(byTokens.cost(of: use(told)) == Int64(50_000 + 4_000_000))
        // Nobody has said how many tokens they were.
        #expect(byTokens.cost(of: use(ChatUsage(input: 10))) == nil)
        let byImage = ModelPrice(from: Self.start) { $0.image = 40_000_000_000 }
        #expect(byImage.cost(of: use(told)) == 80_000_000)
        #expect(byImage.cost(of: use(ChatUsage(input: 10))) == 80_000_000)
        let both = Self.price(5, nil) { ($0.imageOutput, $0.image) = (40_000_000, 40_000_000_000) }
        #expect(both.cost(of: use(told)) == 4_050_000)
        #expect(both.cost(of: use(ChatUsage(input: 10))) == 80_050_000)
    }

    @Test func `vectors cost what their texts do`() {
        #expect(Self.price(2, 0).cost(of: Consumption(ChatUsage(input: 8))) == 16_000)
        #expect(Self.price(2, nil).cost(of: Consumption(ChatUsage(input: 8))) == 16_000)
    }

    @Test func `numbers that no request can have cost nothing that could be charged`() {
        let most = ModelPrice(from: Self.start, input: .max, output: .max) { $0.request = .max }
        #expect(most.cost(of: Consumption(ChatUsage(input: .max, output: .max / 4))) == nil)
        #expect(most.cost(of: Consumption(ChatUsage(input: 1 << 52, output: 1 << 52))) == nil)
        let dear = ModelPrice(from: Self.start, input: 1_000_000, output: 1_000_000)
        let bound = Int(ModelPrice.mostNanodollars / 1000)
        #expect(dear.cost(of: Consumption(ChatUsage(input: bound))) == ModelPrice.mostNanodollars)
        #expect(dear.cost(of: Consumption(ChatUsage(input: bound, output: 1))) == nil)
        #expect(dear.cost(of: Consumption(ChatUsage(input: -5, output: 1))) == 1000)
        let all = Demand { ($0.input, $0.output, $0.requests) = (.max, .max, .max) }
        #expect(most.ceiling(of: all) == ModelPrice.mostNanodollars)
    }

    @Test func `the price in force is that of the moment, and is carried along without a copy`() {
        let model = CatalogModel("acme", "one") {
            $0.prices = [
                ModelPrice(
                    from: Timestamp(seconds: 10), until: Timestamp(seconds: 20), input: 1000, output: 1),
                ModelPrice(from: Timestamp(seconds: 30), input: 3000, output: 1),
            ]
        }
        func cost(_ second: Int64) -> Int64? {
            model.priceInForce(at: Timestamp(seconds: second))?.cost(of: Consumption(ChatUsage(input: 5)))
        }
        #expect(cost(9) == nil && cost(10) == 5 && cost(19) == 5 && cost(20) == nil && cost(30) == 15)
        #expect(model.priceInForce(at: Timestamp(seconds: 31))?.from == Timestamp(seconds: 30))
        #expect(MemoryLayout<PriceInForce?>.size <= 16)
    }

    // MARK: Ceilings

    @Test func `the most that a request can cost is reckoned with the dearest kinds that it may use`() {
        func most(_ price: ModelPrice, _ change: (inout Demand) -> Void) -> Int64? {
            price.ceiling(of: Demand(change))
        }
        let demand: (inout Demand) -> Void = { ($0.input, $0.output) = (1000, 100) }
        #expect(most(Self.price(3, 15), demand) == Int64(3_000_000 + 1_500_000))
        #expect(most(Self.sonnet, demand) == Int64(3_750_000 + 1_500_000))
        #expect(
            most(Self.sonnet) {
                demand(&$0)
                $0.mayKeepLong = true
            } == Int64(6_000_000 + 1_500_000))
        let thoughtful = Self.price(3, 15) { $0.reasoning = 20_000_000 }
        #expect(most(thoughtful, demand) == Int64(3_000_000 + 2_000_000))
        let heard = Self.price(3, 15) { $0.audioInput = 40_000_000 }
        #expect(most(heard) { $0.audioInput = 10 } == 400_000)
        #expect(most(Self.price(3, 15)) { $0.audioInput = 10 } == nil)
        let paidByCall = Self.price(3, 15) { $0.request = 5_000_000_000 }
        #expect(most(paidByCall) { $0.requests = 3 } == 15_000_000)
        #expect(most(Self.price(nil, 15), demand) == nil && most(Self.price(3, nil), demand) == nil)
        #expect(most(Self.price(0, 0), demand) == 0)
    }

    @Test func `a request that can reach the band of much input is reckoned in it`() {
        let price = Self.price(3, 15) {
            $0.longContext = ModelPrice.LongContext(above: 1000, input: 6_000_000, output: nil)
        }
        func most(_ input: Int) -> Int64? {
            price.ceiling(of: Demand { ($0.input, $0.output) = (input, 1) })
        }
        #expect(most(1000) == 3_015_000)
        #expect(most(1001) == 6_021_000)
        let cheaper = Self.price(3, 15) {
            $0.longContext = ModelPrice.LongContext(above: 1000, input: 1_000_000, output: 1_000_000)
        }
        #expect(cheaper.ceiling(of: Demand { $0.input = 1001 }) == 3_003_000)
    }

    @Test func `images are reckoned as the dearest there are`() {
        func most(_ price: ModelPrice) -> Int64? {
            price.ceiling(of: Demand { ($0.input, $0.images, $0.requests) = (10, 2, 2) })
        }
        #expect(most(ModelPrice(from: Self.start) { $0.image = 40_000_000_000 }) == 80_000_000)
        let drawn = Self.price(5, nil) { $0.imageOutput = 40_000_000 }
        #expect(most(drawn) == Int64(50_000 + 2 * 8192 * 40_000))
        #expect(most(Self.price(5, 10)) == nil)
    }

    @Test func `no use costs more than the ceiling of its demand`() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
        func maybe(_ rate: Int) -> Int? { below(2) == 0 ? nil : rate }
        for round in 0..<2000 {
            let price = ModelPrice(from: Self.start, input: below(10_000), output: below(50_000)) {
                ($0.cacheRead, $0.cacheWrite) = (maybe(below(10_000)), maybe(below(20_000)))
                ($0.cacheWriteLong, $0.reasoning) = (maybe(below(30_000)), maybe(below(90_000)))
                $0.request = maybe(below(1_000_000))
                if below(2) == 0 {
                    $0.longContext = ModelPrice.LongContext(
                        above: 1 + below(2000), input: maybe(below(30_000)), output: maybe(below(90_000)))
                }
            }
            let usage = ChatUsage(
                input: below(900), cacheRead: below(900),
                cacheWrite: price.cacheWrite.map { _ in below(900) } ?? 0,
                cacheWriteHour: price.cacheWriteLong.map { _ in below(900) } ?? 0,
                output: below(900), reasoning: below(900))
            let ceiling = price.ceiling(
                of: Demand {
                    $0.input = usage.totalInput + below(10)
                    $0.output = usage.totalOutput + below(10)
                    $0.mayKeepLong = usage.cacheWriteHour > 0
                })
            guard let cost = price.cost(of: Consumption(usage)), let ceiling else {
                Issue.record("no cost; seed \(seed), round \(round)")
                continue
            }
            #expect(cost <= ceiling, "seed \(seed), round \(round)")
        }
    }
}
