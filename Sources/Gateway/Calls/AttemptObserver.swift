package import Base
import Catalog
import Chat
import Metering

/// Counts and logs every request to a provider when it has ended.
package final class AttemptObserver: Sendable {
    /// What is counted of a provider.
    private struct Series: Sendable {
        var attempts: [AttemptReport.Kind: AttemptSeries] = [:]
        /// In the order of their kinds.
        let tokens: [Counter]
        let images: Counter
        let estimated: Counter
    }

    private struct AttemptSeries: Sendable {
        let outcomes: [AttemptReport.Outcome: Counter]
        let firstByte: Histogram
    }

    /// Of providers that have been asked.
    private let series = Locked<[String: Series]>([:])
    private let metrics: Metrics
    private let logger: Logger

    package init(metrics: Metrics, logger: Logger) {
        self.metrics = metrics
        self.logger = logger
    }

    package func note(_ report: AttemptReport) {
        count(report)
        guard logger.level <= .info else { return }
        logger.info(
            "provider", ("request_id", "\(report.requestID)"), ("provider", "\(report.provider)"),
            ("model", "\(report.model)"), ("kind", "\(report.kind.rawValue)"),
            ("attempt", .integer(report.number)),
            ("outcome", "\(report.outcome.rawValue)"),
            ("input_tokens", .integer(report.usage?.totalInput ?? 0)),
            ("output_tokens", .integer(report.usage?.totalOutput ?? 0)),
            ("images", .integer(report.imageCount)),
            ("own_key", .flag(report.isOwnKey)), ("estimated", .flag(report.usage?.isEstimated ?? false)),
            ("microseconds", .integer(Int(report.duration.nanoseconds / 1000))))
    }

    private func count(_ report: AttemptReport) {
        let (series, attempts) = series(of: report.provider, report.kind)
        attempts.outcomes[report.outcome]?.add()
        if let time = report.timeToFirstByte { attempts.firstByte.observe(time) }
        if report.imageCount > 0 { series.images.add(report.imageCount) }
        guard let usage = report.usage else { return }
        if usage.isEstimated { series.estimated.add() }
        for (index, kind) in TokenKind.allCases.enumerated() {
            let count = kind.count(in: usage)
            if count > 0 { series.tokens[index].add(count) }
        }
    }

    // MARK: Series

    private func series(of provider: String, _ kind: AttemptReport.Kind) -> (Series, AttemptSeries) {
        series.withLock { all in
            if let known = all[provider], let attempts = known.attempts[kind] { return (known, attempts) }
            var series = all[provider] ?? makeSeries(of: provider)
            let attempts = makeSeries(of: provider, kind)
            series.attempts[kind] = attempts
            all[provider] = series
            return (series, attempts)
        }
    }

    private func makeSeries(of provider: String) -> Series {
        Series(
            tokens: TokenKind.allCases.map { kind in
                metrics.counter(
                    "hivegate_tokens_total",
                    "Tokens that providers read and made, each counted in one kind.",
                    ["provider": provider, "kind": kind.rawValue])
            },
            images: metrics.counter(
                "hivegate_images_total", "Images that providers made.", ["provider": provider]),
            estimated: metrics.counter(
                "hivegate_usage_estimated_total", "Answers whose tokens the provider did not say.",
                ["provider": provider]))
    }

    private func makeSeries(of provider: String, _ kind: AttemptReport.Kind) -> AttemptSeries {
        AttemptSeries(
            outcomes: Dictionary(
                uniqueKeysWithValues: AttemptReport.Outcome.allCases.map { outcome in
                    (
                        outcome,
                        metrics.counter(
                            "hivegate_provider_requests_total",
                            "Requests to providers, by what they were for and how they ended.",
                            [
                                "provider": provider, "kind": kind.rawValue, "outcome": outcome.rawValue,
                            ])
                    )
                }),
            firstByte: metrics.histogram(
                "hivegate_provider_first_byte_seconds",
                "From a request to a provider to the first byte of its answer.",
                ["provider": provider, "kind": kind.rawValue]))
    }
}
