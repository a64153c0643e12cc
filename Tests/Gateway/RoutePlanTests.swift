import Base
import Catalog
import Chat
import JSON
import Providers
import Testing

@testable import Gateway

/// Who is asked, and in which order.
struct RoutePlanTests {
    private func candidate(
        _ provider: String, input: Int? = nil, output: Int? = nil, regions: [String] = [],
        mayBeRetained: Bool = true
    ) -> Candidate {
        let settings = Upstream.Settings(
            name: provider, chat: OpenAIChatCodec(), baseURL: "http://127.0.0.1:1", keys: [Secret("k")])
        let upstream = Upstream(settings)
        return Candidate(
            id: "\(provider)/m", place: .upstream(upstream), target: ChatTarget(model: "m"),
            facts: Candidate.Facts(
                price: PriceInForce(
                    ModelPrice(from: Timestamp(microseconds: 0), input: input, output: output)),
                regions: regions, mayBeRetained: mayBeRetained))
    }

    private func order(
        _ groups: [[Candidate]], _ policy: RoutePolicy = RoutePolicy(),
        health: ((Candidate) -> RoutePlan.Fitness)? = nil
    ) -> [String] {
        RoutePlan.order(groups, by: policy) { health?($0) ?? RoutePlan.Fitness() }.map(\.provider)
    }

    @Test func `without wishes the order is as it was named`() {
        #expect(order([[candidate("b"), candidate("a")], [candidate("c")]]) == ["b", "a", "c"])
    }

    @Test func `an upstream that fails is asked last among those with the same model`() {
        let plan = order([[candidate("a"), candidate("b")], [candidate("c")]]) {
            RoutePlan.Fitness(isOpen: $0.provider != "a")
        }
        #expect(plan == ["b", "a", "c"])
    }

    @Test func `the cheapest comes first, and what has no price last`() {
        var policy = RoutePolicy()
        policy.sort = .price
        let group = [
            candidate("unknown"), candidate("dear", input: 900, output: 10),
            candidate("cheap", input: 1, output: 90),
        ]
        #expect(order([group], policy) == ["cheap", "dear", "unknown"])
    }

    @Test func `the fastest comes first, and one that nobody has tried is tried`() {
        var policy = RoutePolicy()
        policy.sort = .latency
        let times = ["slow": 2.0, "fast": 0.1]
        let plan = order([[candidate("slow"), candidate("fast"), candidate("new")]], policy) {
            RoutePlan.Fitness(latency: times[$0.provider])
        }
        #expect(plan == ["new", "fast", "slow"])
    }

    @Test func `what is wished for goes before what is measured`() {
        var policy = RoutePolicy()
        policy.sort = .price
        policy.order = ["dear"]
        let group = [candidate("cheap", input: 1, output: 1), candidate("dear", input: 9, output: 9)]
        #expect(order([group], policy) == ["dear", "cheap"])
    }

    @Test func `a bound on the price excludes what is dearer and what has none`() {
        var policy = RoutePolicy()
        policy.highestPrice = .init(input: 5, output: nil)
        let group = [
            candidate("dear", input: 6, output: 1), candidate("unknown"),
            candidate("just", input: 5, output: 99),
        ]
        #expect(order([group], policy) == ["just"])
    }

    @Test func `data stays where and with whom it may`() {
        var policy = RoutePolicy()
        policy.regions = ["eu"]
        policy.allowsRetention = false
        let group = [
            candidate("us", regions: ["us"], mayBeRetained: false),
            candidate("nowhere", mayBeRetained: false),
            candidate("keeps", regions: ["eu"]),
            candidate("good", regions: ["us", "eu"], mayBeRetained: false),
        ]
        #expect(order([group], policy) == ["good"])
    }

    @Test func `without fallbacks only the first is asked`() {
        var policy = RoutePolicy()
        policy.allowsFallbacks = false
        #expect(order([[candidate("a")], [candidate("b")]], policy) == ["a"])
    }

    @Test func `a request narrows what its organization allows and never widens it`() {
        var organization = RoutePolicy()
        organization.only = ["a", "b"]
        organization.ignore = ["b"]
        organization.highestPrice = .init(input: 5, output: 5)
        organization.allowsRetention = false
        var request = RoutePolicy()
        request.only = ["b", "c"]
        request.highestPrice = .init(input: 9, output: 1)
        let both = organization.narrowed(by: request)
        for provider in ["a", "b", "c"] { #expect(!both.allows(provider: provider)) }
        #expect(both.highestPrice == .init(input: 5, output: 1))
        #expect(!both.allowsRetention)
        request.only = ["c"]
        let none = organization.narrowed(by: request)
        for provider in ["a", "b", "c", ""] { #expect(!none.allows(provider: provider) || provider.isEmpty) }
    }

    @Test func `models with weights come first as often as their weight says`() {
        let models = [
            RouteWishes.Model(name: "often", weight: 3), RouteWishes.Model(name: "last"),
            RouteWishes.Model(name: "seldom", weight: 1),
        ]
        var counts: [String: Int] = [:]
        for lot in 0..<4000 {
            let names = ModelRouter.draw(models, lot: UInt64(lot))
            #expect(Set(names).count == 3 && names.last == "last")
            counts[names[0], default: 0] += 1
        }
        #expect((2800...3200).contains(counts["often"] ?? 0))
    }
}
