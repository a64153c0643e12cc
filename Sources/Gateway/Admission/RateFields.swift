import Admission
import Base
import HTTPServer
import HTTPWire

/// How much is left, as clients read it: in our words, and in OpenAI's and Anthropic's where their clients ask.
enum RateFields {
    static func append(
        _ standing: Standing, to fields: inout HTTPFields, now: Timestamp, _ exchange: Exchange
    ) {
        guard let tightest = standing.tightest else { return }
        fields.append("X-RateLimit-Limit", tightest.limit)
        fields.append("X-RateLimit-Remaining", tightest.remaining)
        fields.append("X-RateLimit-Reset", seconds(tightest.reset))
        if exchange.request.path.starts(with: anthropicPath) {
            appendAnthropic("requests", standing.requests, to: &fields, now)
            appendAnthropic("tokens", standing.tokens, to: &fields, now)
        } else {
            appendOpenAI("requests", standing.requests, to: &fields)
            appendOpenAI("tokens", standing.tokens, to: &fields)
        }
    }

    private static let anthropicPath = Array("/v1/messages".utf8)

    private static func appendOpenAI(
        _ quantity: String, _ window: Standing.Window?, to fields: inout HTTPFields
    ) {
        guard let window else { return }
        fields.append("x-ratelimit-limit-\(quantity)", window.limit)
        fields.append("x-ratelimit-remaining-\(quantity)", window.remaining)
        fields.append("x-ratelimit-reset-\(quantity)", goDuration(window.reset))
    }

    private static func appendAnthropic(
        _ quantity: String, _ window: Standing.Window?, to fields: inout HTTPFields, _ now: Timestamp
    ) {
        guard let window else { return }
        fields.append("anthropic-ratelimit-\(quantity)-limit", window.limit)
        fields.append("anthropic-ratelimit-\(quantity)-remaining", window.remaining)
        let reset = Timestamp(seconds: (now + .milliseconds(window.reset + 999)).seconds)
        // Anthropic writes whole seconds.
        fields.append("anthropic-ratelimit-\(quantity)-reset", "\(reset.description.prefix(19))Z")
    }

    private static func seconds(_ milliseconds: Int64) -> Int { Int((milliseconds + 999) / 1000) }

    /// `6m0s`, `1s`, `120ms`
    static func goDuration(_ milliseconds: Int64) -> String {
        if milliseconds < 1000 { return "\(milliseconds)ms" }
        let (minutes, rest) = (milliseconds / 60_000, milliseconds % 60_000)
        let (hours, left) = (minutes / 60, minutes % 60)
        let seconds = (rest + 999) / 1000
        if hours > 0 { return "\(hours)h\(left)m\(seconds)s" }
        return minutes > 0 ? "\(minutes)m\(seconds)s" : "\(seconds)s"
    }
}
