package import Base
import Metering

/// What requests to providers cost, for Prometheus: the sum and the count give what one costs. One for all loops.
package final class CostCounters: Sendable {
    /// Of more models together: names come from the catalogue, and from whoever asks for what it does not know.
    static let mostModels = 200
    private static let others = Name(provider: "other", model: "other")

    private struct Name: Hashable {
        let provider: String
        let model: String
    }

    private struct Series {
        let nanodollars: Counter
        let requests: Counter
    }

    private let series = Locked<[Name: Series]>([:])
    private let unpriced: Counter
    private let metrics: Metrics

    package init(in metrics: Metrics) {
        self.metrics = metrics
        unpriced = metrics.counter(
            "hivegate_unpriced_requests_total",
            "Requests to providers that used something whose price is not known.")
    }

    func note(_ event: UsageEvent) {
        for attempt in event.attempts {
            guard let cost = attempt.cost else {
                unpriced.add()
                continue
            }
            let series = series(of: Name(provider: attempt.provider, model: attempt.model))
            series.nanodollars.add(Int(cost))
            series.requests.add()
        }
    }

    private func series(of name: Name) -> Series {
        series.withLock { all in
            if let known = all[name] { return known }
            let name = all.count < Self.mostModels ? name : Self.others
            if let known = all[name] { return known }
            let labels: Metrics.Labels = ["provider": name.provider, "model": name.model]
            let made = Series(
                nanodollars: metrics.counter(
                    "hivegate_cost_nanodollars_total",
                    "What providers ask for requests whose price is known, in billionths of a dollar.", labels
                ),
                requests: metrics.counter(
                    "hivegate_priced_requests_total", "Requests to providers whose price is known.", labels))
            all[name] = made
            return made
        }
    }
}
