import Base
import Metering
import Testing

@testable import Gateway

/// What requests cost, as operators see it.
struct CostCountersTests {
    private static func event(_ model: String, cost: Int64?) -> UsageEvent {
        UsageEvent(
            id: .make(), requestID: "r", organization: .make(), user: .make(), key: .make(), endpoint: "e",
            model: model, at: .now(),
            attempts: [
                UsageEvent.Attempt(
                    provider: "openai", model: model, started: .now(), latency: .zero, outcome: .answered,
                    cost: cost)
            ])
    }

    @Test func `what requests cost adds up by model, and many models are one`() {
        let metrics = Metrics()
        let costs = CostCounters(in: metrics)
        costs.note(Self.event("dear", cost: 70))
        costs.note(Self.event("dear", cost: 7))
        costs.note(Self.event("unknown", cost: nil))
        for number in 0..<300 { costs.note(Self.event("model-\(number)", cost: 1)) }
        let lines = String(decoding: metrics.render(), as: UTF8.self).split(separator: "\n")
        #expect(lines.contains(#"hivegate_cost_nanodollars_total{provider="openai",model="dear"} 77"#))
        #expect(lines.contains(#"hivegate_priced_requests_total{provider="openai",model="dear"} 2"#))
        #expect(lines.contains("hivegate_unpriced_requests_total 1"))
        let rest = 301 - CostCounters.mostModels
        #expect(lines.contains(#"hivegate_priced_requests_total{provider="other",model="other"} \#(rest)"#))
        #expect(
            lines.filter { $0.hasPrefix("hivegate_cost_nanodollars_total{") }.count
                == CostCounters.mostModels + 1)
    }
}
