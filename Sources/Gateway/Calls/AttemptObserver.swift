package import Base
import Chat

/// Counts and logs every request to a provider when it has ended.
package final class AttemptObserver: Sendable {
    private struct Series: Sendable {
        let outcomes: [AttemptReport.Outcome: Counter]
        let firstByte: Histogram
        let tokens: [(kind: @Sendable (ChatUsage) -> Int, counter: Counter)]
        let estimated: Counter
    }

    /// Of providers that have been asked.
    private let series = Locked<[String: Series]>([:])
    private let metrics: Metrics
    private let logger: Logger

    package init(metrics: Metrics, logger: Logger) {
        self.metrics = metrics
        self.logger = logger
    }

    private func series(of provider: String) -> Series {
        series.withLock { series in
            if let known = series[provider] { return known }
            let made = Self.series(provider, metrics)
            series[provider] = made
            return made
        }
    }

    private static func series(_ provider: String, _ metrics: Metrics) -> Series {
        let kinds: [(name: String, kind: @Sendable (ChatUsage) -> Int)] = [
            ("input", { $0.input }), ("cache_read", { $0.cacheRead }), ("cache_write", { $0.cacheWrite }),
            ("cache_write_hour", { $0.cacheWriteHour }), ("audio_input", { $0.audioInput }),
            ("output", { $0.output }),
            ("reasoning", { $0.reasoning }), ("audio_output", { $0.audioOutput }),
        ]
        return Series(
            outcomes: Dictionary(
                uniqueKeysWithValues: AttemptReport.Outcome.allCases.map { outcome in
                    (
                        outcome,
                        metrics.counter(
                            "hivegate_provider_requests_total", "Requests to providers, by how they ended.",
                            ["provider": provider, "outcome": outcome.rawValue])
                    )
                }),
            firstByte: metrics.histogram(
                "hivegate_provider_first_byte_seconds",
                "From a request to a provider to the first byte of its answer.", ["provider": provider]),
            tokens: kinds.map { name, kind in
                (
                    kind,
                    metrics.counter(
                        "hivegate_tokens_total",
                        "Tokens that providers read and made, each counted in one kind.",
                        ["provider": provider, "kind": name])
                )
            },
            estimated: metrics.counter(
                "hivegate_usage_estimated_total", "Answers whose tokens the provider did not say.",
                ["provider": provider]))
    }

    package func note(_ report: AttemptReport) {
        count(report, in: series(of: report.provider))
        guard logger.level <= .info else { return }
        logger.info(
            "provider", ("request_id", "\(report.requestID)"), ("provider", "\(report.provider)"),
            ("model", "\(report.model)"), ("attempt", .integer(report.number)),
            ("outcome", "\(report.outcome.rawValue)"),
            ("input_tokens", .integer(report.usage?.totalInput ?? 0)),
            ("output_tokens", .integer(report.usage?.totalOutput ?? 0)),
            ("own_key", .flag(report.isOwnKey)), ("estimated", .flag(report.usage?.isEstimated ?? false)),
            ("microseconds", .integer(Int(report.duration.nanoseconds / 1000))))
    }

    private func count(_ report: AttemptReport, in series: Series) {
        series.outcomes[report.outcome]?.add()
        if let time = report.timeToFirstByte { series.firstByte.observe(time) }
        guard let usage = report.usage else { return }
        if usage.isEstimated { series.estimated.add() }
        for (kind, counter) in series.tokens where kind(usage) > 0 {
            counter.add(kind(usage))
        }
    }
}
