package import Base
package import HTTPServer
import HTTPWire

/// Counts and logs every request when it has ended.
package final class RequestObserver: Sendable {
    private final class Series: Sendable {
        let duration: Histogram
        /// By the status's first digit.
        let statuses: [Counter]
        let aborted: Counter

        init(duration: Histogram, statuses: [Counter], aborted: Counter) {
            self.duration = duration
            self.statuses = statuses
            self.aborted = aborted
        }
    }

    private let logger: Logger
    private let byRoute: [ObjectIdentifier: Series]
    private let unrouted: Series

    package init(routes: [Route], metrics: Metrics, logger: Logger) {
        self.logger = logger
        unrouted = Self.series("none", metrics)
        byRoute = Dictionary(
            uniqueKeysWithValues: routes.map { (ObjectIdentifier($0), Self.series($0.name, metrics)) })
    }

    private static func series(_ route: String, _ metrics: Metrics) -> Series {
        Series(
            duration: metrics.histogram(
                "hivegate_request_duration_seconds", "From a request's head to the end of its answer.",
                ["route": route]),
            statuses: (0...5).map { digit in
                metrics.counter(
                    "hivegate_requests_total", "Requests, by route and class of status.",
                    ["route": route, "status": digit == 0 ? "none" : "\(digit)xx"])
            },
            aborted: metrics.counter(
                "hivegate_requests_aborted_total", "Requests whose answer did not reach its end.",
                ["route": route]))
    }

    package func finished(_ record: ExchangeRecord) {
        let series = record.exchange?.route.flatMap { byRoute[ObjectIdentifier($0)] } ?? unrouted
        series.duration.observe(record.duration)
        series.statuses[min(5, max(0, record.status / 100))].add()
        if record.aborted { series.aborted.add() }
        guard logger.level <= .info else { return }
        logger.info(
            "request", ("request_id", "\(record.exchange?.id ?? "-")"),
            ("method", "\(record.method?.name ?? "-")"),
            ("route", "\(record.route ?? "-")"), ("status", .integer(record.status)),
            ("bytes_in", .integer(record.bytesIn)), ("bytes_out", .integer(record.bytesOut)),
            ("microseconds", .integer(Int(record.duration.nanoseconds / 1000))),
            ("aborted", .flag(record.aborted)))
    }
}
