import Base
import Catalog
import Testing

/// What a list of prices would change.
struct PriceImportTests {
    private let now = Timestamp(seconds: 1_800_000_000)
    private var before: Timestamp { Timestamp(seconds: 1_700_000_000) }
    private var later: Timestamp { Timestamp(seconds: 1_900_000_000) }

    private func model(
        _ provider: String, _ name: String, _ prices: [ModelPrice],
        _ change: (inout CatalogModel) -> Void = { _ in }
    ) -> CatalogModel {
        CatalogModel(provider, name) { model in
            model.source = "litellm"
            model.prices = prices
            change(&model)
        }
    }

    private func listed(_ name: String, _ amounts: [PriceColumn: Int], as id: String? = nil) -> ListedPrice {
        var listed = ListedPrice(name, id: id ?? name)
        listed.amounts = amounts
        return listed
    }

    private func compare(
        _ list: [ListedPrice], _ models: [CatalogModel], after history: PriceHistory = PriceHistory()
    ) -> PriceImport {
        PriceImport([.init(list, source: "test")], over: models, after: history, at: now)
    }

    @Test func `a price that differs is a change from now on, and what the list is silent about stays`()
        throws
    {
        let old = ModelPrice(from: before, input: 5, output: 20) {
            $0.search = 7
            $0.source = "litellm"
        }
        let plan = compare(
            [listed("a/x", [.input: 4, .output: 20]), listed("a/same", [.input: 5])],
            [model("a", "x", [old]), model("a", "same", [old])])
        let change = try #require(plan.changes.first)
        #expect(plan.changes.count == 1 && change.model == "a/x" && change.old == old)
        #expect(change.columns == [.input] && change.reasons.isEmpty)
        #expect(change.new.from == now && change.new.until == nil && change.new.source == "test")
        #expect((change.new.input, change.new.output, change.new.search) == (4, 20, 7))
        #expect(plan.unchanged == ["a/same"] && plan.faults.isEmpty && plan.unknownCount == 0)
    }

    @Test func `a first price is no jump, and an announced one still comes`() throws {
        let announced = ModelPrice(from: later, input: 9, output: 9)
        let plan = compare(
            [listed("a/x", [.input: 4000]), listed("a/y", [.input: 4000])],
            [model("a", "x", []), model("a", "y", [announced])])
        #expect(plan.changes.map(\.old) == [nil, nil] && plan.quarantined.isEmpty)
        #expect(plan.changes.map(\.new.until) == [nil, later])
    }

    @Test func `what was entered here is left alone`() {
        let entered = ModelPrice(from: before, input: 5) { $0.source = "operator" }
        let plan = compare(
            [listed("a/x", [.input: 1]), listed("a/y", [.input: 1]), listed("a/z", [.input: 1])],
            [
                model("a", "x", [entered]), model("a", "y", []) { $0.source = "operator" },
                model("a", "z", [ModelPrice(from: before, until: now, input: 5), entered.starting(later)]),
            ])
        #expect(plan.kept == ["a/x", "a/y", "a/z"] && plan.changes.isEmpty)
    }

    @Test
    func `more than twice as much or as little waits, and so does what comes from or goes to nothing`() {
        for (old, new, isJump) in [
            (10, 20, false), (10, 21, true), (20, 10, false), (21, 10, true), (0, 1, true), (1, 0, true),
            (0, 0, false), (1_000_000_000_000_000, 1, true),
        ] {
            let plan = compare(
                [listed("a/x", [.input: new]), listed("a/y", [.input: 6])],
                [
                    model("a", "x", [ModelPrice(from: before, input: old, output: 1)]),
                    model("a", "y", [ModelPrice(from: before, input: 5)]),
                ])
            #expect(
                plan.quarantined.map(\.reasons) == (isJump ? [[.init(.jump, .input)]] : []), "\(old) \(new)")
            #expect(plan.changes.map(\.model).last == "a/y", "the rest is applied")
            #expect(!plan.changes.contains { $0.model == "a/x" } || !isJump)
        }
    }

    @Test func `more than a thousand dollars for a million tokens waits, even where no price was known`() {
        let models = [model("a", "x", []), model("a", "y", []), model("a", "z", [])]
        let plan = compare(
            [
                listed("a/x", [.input: 1_000_000_000]), listed("a/y", [.input: 1, .output: 1_000_000_001]),
                // An image may cost more than a token.
                listed("a/z", [.image: 60_000_000_000]),
            ], models)
        #expect(plan.changes.map(\.model) == ["a/x", "a/z"])
        #expect(plan.quarantined.map(\.model) == ["a/y"])
        #expect(plan.quarantined.map(\.reasons) == [[.init(.tooHigh, .output)]])
    }

    // MARK: Several sources

    @Test func `what two lists say differently waits, and what they agree on is applied`() {
        let old = ModelPrice(from: before, input: 100, output: 100)
        let names = ["x", "y", "z"]
        let plan = PriceImport(
            [
                .init(
                    [
                        listed("a/x", [.input: 110]), listed("a/y", [.input: 110]),
                        listed("a/z", [.input: 100]),
                    ], source: "one"),
                .init(
                    [
                        listed("a/x", [.input: 120]), listed("a/y", [.input: 110, .output: 120]),
                        listed("a/z", [.input: 110]),
                    ], source: "two"),
            ], over: names.map { model("a", $0, [old]) }, at: now)
        #expect(plan.changes.map(\.model) == ["a/y"])
        #expect(plan.changes.first?.new.input == 110 && plan.changes.first?.new.output == 120)
        #expect(
            plan.quarantined.map {
                "\($0.model) \($0.new.input ?? 0) \($0.new.source) \($0.reasons.map(\.other))"
            } == [
                #"a/x 110 one [Optional("two")]"#, #"a/x 120 two [Optional("one")]"#,
                #"a/z 110 two [Optional("one")]"#,
            ])
        #expect(plan.unchanged == ["a/z"])
    }

    @Test func `what another source said last counts, until it says something else or nothing`() {
        let models = [model("a", "x", [ModelPrice(from: before, input: 100, output: 100)])]
        var history = PriceHistory()
        history.listings["a/x"] = [
            PriceListing("a/x", source: "other", amounts: [.input: 100, .search: 3]),
            PriceListing("a/x", source: "test", amounts: [.input: 50]),
        ]
        let plan = compare([listed("a/x", [.input: 110])], models, after: history)
        #expect(plan.quarantined.map(\.reasons) == [[.init(.disagreement, .input, other: "other")]])
        #expect(plan.listings == [PriceListing("a/x", source: "test", amounts: [.input: 110])])
        // It has said nothing of output.
        #expect(compare([listed("a/x", [.output: 110])], models, after: history).changes.count == 1)
        history.listings = [:]
        #expect(compare([listed("a/x", [.input: 110])], models, after: history).changes.count == 1)
    }

    @Test func `what was rejected is not proposed again, unless it is another price`() {
        let models = [model("a", "x", [ModelPrice(from: before, input: 100, output: 100)])]
        var history = PriceHistory()
        history.rejected["a/x"] = [
            ModelPrice(from: before, input: 300, output: 100) { $0.source = "test" }
        ]
        let same = compare([listed("a/x", [.input: 300])], models, after: history)
        #expect(same.quarantined.isEmpty && same.changes.isEmpty && same.rejectedCount == 1)
        let other = compare([listed("a/x", [.input: 301])], models, after: history)
        #expect(other.quarantined.count == 1 && other.rejectedCount == 0)
    }

    @Test func `a fault counts where the catalogue has the model, and one model with two prices is one`() {
        var odd = listed("a/x", [:])
        odd.faults = ["input is \"x\", which is no price"]
        var unknown = odd
        unknown.id = "a/unknown"
        let models = [model("a", "x", []), model("a", "y", [])]
        let plan = compare([odd, unknown], models)
        #expect(plan.faults == ["a/x: input is \"x\", which is no price"] && plan.unknownCount == 1)
        let twice = compare([listed("y", [.input: 1], as: "a/y"), listed("a/y", [.input: 2])], models)
        #expect(twice.faults.count == 1)
        let same = compare([listed("y", [.input: 1], as: "a/y"), listed("a/y", [.input: 1])], models)
        #expect(same.faults.isEmpty && same.changes.count == 1)
    }

    @Test
    func `a maker's price is found by any name of the model, and is not that of what is open`() {
        let models = [
            model("a", "x-20260101", []) { model in
                model.slug = "x"
                model.aliases = ["x.1"]
            },
            model("a", "open", []) { $0.capabilities = [.openWeights] },
        ]
        func resold(_ name: String, _ input: Int) -> ListedPrice {
            var price = listed(name, [.input: input], as: "openrouter/\(name)")
            price.makersName = name
            return price
        }
        #expect(compare([resold("a/x.1", 1)], models).changes.map(\.model) == ["a/x-20260101"])
        #expect(compare([listed("a/x.1", [.input: 1])], models).unknownCount == 1)
        #expect(compare([resold("a/open", 1)], models).unknownCount == 1)
        #expect(compare([listed("a/open", [.input: 1])], models).changes.count == 1)
        // Its own name says more than another, and two others with different prices say nothing.
        let own = resold("a/x-20260101", 3)
        for list in [[resold("a/x", 1), own], [own, resold("a/x", 1)]] {
            #expect(compare(list, models).changes.map(\.new.input) == [3])
        }
        let unclear = compare([resold("a/x", 1), resold("a/x.1", 2)], models)
        #expect(unclear.changes.isEmpty && unclear.faults.isEmpty)
    }

    @Test func `much input that becomes far dearer, or begins far earlier, waits`() {
        func reasons(_ above: Int, _ input: Int, after old: ModelPrice.LongContext?) -> [[PriceImport.Reason]]
        {
            var list = listed("a/x", [.longInput: input])
            list.longAbove = above
            let price = ModelPrice(from: before, input: 4, output: 9) { $0.longContext = old }
            return compare([list], [model("a", "x", [price])]).quarantined.map(\.reasons)
        }
        #expect(reasons(1000, 8, after: nil) == [])
        #expect(reasons(1000, 9, after: nil) == [[.init(.jump, .longInput)]])
        #expect(reasons(500, 8, after: .init(above: 1000, input: 8, output: nil)) == [])
        #expect(
            reasons(499, 8, after: .init(above: 1000, input: 8, output: nil)) == [[.init(.jump, .longInput)]])
    }

    @Test func `prices of much input come and change with where they begin`() throws {
        var list = listed("a/x", [.input: 4, .longInput: 8])
        list.longAbove = 1000
        let first = compare([list], [model("a", "x", [ModelPrice(from: before, input: 4)])])
        #expect(first.changes.map(\.new.longContext) == [.init(above: 1000, input: 8, output: nil)])
        list.longAbove = 2000
        let moved = compare(
            [list],
            [
                model(
                    "a", "x",
                    [
                        ModelPrice(from: before, input: 4) {
                            $0.longContext = .init(above: 1000, input: 8, output: 9)
                        }
                    ])
            ])
        #expect(moved.changes.map(\.new.longContext) == [.init(above: 2000, input: 8, output: 9)])
    }
}

extension ModelPrice {
    fileprivate func starting(_ from: Timestamp) -> ModelPrice {
        var price = self
        price.from = from
        return price
    }
}
