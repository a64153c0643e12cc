import Analytics
import Base
import JSON

extension JSONWriter {
    /// An amount of nano-dollars, none below nothing.
    mutating func nanodollars(_ name: StaticString, _ amount: Int64) {
        object(name) { json in
            json.field("nano", String(amount))
            json.field("usd", String(decoding: DollarText.bytes(Int(amount), places: 9), as: UTF8.self))
        }
    }

    mutating func fields(of totals: UsageTotals) {
        field("requests", Int(totals.calls))
        field("errors", Int(totals.errors))
        object("tokens") { json in
            json.field("input", Int(totals.input))
            json.field("cached_input", Int(totals.cachedInput))
            json.field("output", Int(totals.output))
        }
        nanodollars("cost", totals.cost)
        nanodollars("charge", totals.charge)
        nanodollars("saved", totals.saved)
        // To four places.
        field(
            "cache_hit_rate",
            totals.lookups == 0
                ? nil : (Double(totals.hits) / Double(totals.lookups) * 10_000).rounded() / 10_000)
        quantiles("latency_ms", totals.latency)
        quantiles("first_token_ms", totals.firstToken)
    }

    /// In milliseconds, to a tenth.
    private mutating func quantiles(_ name: StaticString, _ histogram: LatencyHistogram) {
        func rounded(_ share: Double) -> Double? {
            histogram.quantile(share).map { ($0 / 100).rounded() / 10 }
        }
        object(name) { json in
            json.field("p50", rounded(0.5))
            json.field("p95", rounded(0.95))
            json.field("p99", rounded(0.99))
        }
    }

    mutating func fields(of call: UsedCall) {
        field("id", call.id.description)
        field("request_id", call.requestID)
        field("at", call.at.description)
        field("endpoint", call.endpoint)
        field("model", call.askedModel)
        field("user_id", call.user.description)
        field("key_id", call.key.description)
        field("outcome", call.outcome)
        field("cache", call.cache)
        field("calls", Int(call.calls))
        field("tags", raw: Array((call.tags ?? "null").utf8))
        nanodollars("charge", call.charge)
        nanodollars("saved", call.saved)
        array("attempts") { json in
            for attempt in call.attempts { json.object { $0.fields(of: attempt) } }
        }
    }

    private mutating func fields(of attempt: UsedCall.Attempt) {
        field("provider", attempt.provider)
        field("model", attempt.model)
        field("own_key", attempt.isOwnKey)
        field("started_at", attempt.started.description)
        field("latency_ms", Double(attempt.latency) / 1000)
        field("first_token_ms", attempt.firstToken.map { Double($0) / 1000 })
        field("outcome", attempt.outcome)
        field("fault", attempt.fault)
        object("tokens") { json in
            json.field("input", Int(attempt.input))
            json.field("cached_input", Int(attempt.cachedInput))
            json.field("output", Int(attempt.output))
        }
        field("images", Int(attempt.images))
        if let cost = attempt.cost { nanodollars("cost", cost) } else { null("cost") }
        nanodollars("commission", attempt.commission)
        nanodollars("charge", attempt.charge)
    }
}
