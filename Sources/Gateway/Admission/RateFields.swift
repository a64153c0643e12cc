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
        fields.append(known: "X-RateLimit-Limit", tightest.limit)
        fields.append(known: "X-RateLimit-Remaining", tightest.remaining)
        fields.append(known: "X-RateLimit-Reset", seconds(tightest.reset))
        if exchange.request.path.starts(with: anthropicPath) {
            if let requests = standing.requests {
                fields.append(known: "anthropic-ratelimit-requests-limit", requests.limit)
                fields.append(known: "anthropic-ratelimit-requests-remaining", requests.remaining)
                fields.append("anthropic-ratelimit-requests-reset", moment(requests.reset, now))
            }
            if let tokens = standing.tokens {
                fields.append(known: "anthropic-ratelimit-tokens-limit", tokens.limit)
                fields.append(known: "anthropic-ratelimit-tokens-remaining", tokens.remaining)
                fields.append("anthropic-ratelimit-tokens-reset", moment(tokens.reset, now))
            }
        } else {
            if let requests = standing.requests {
                fields.append(known: "x-ratelimit-limit-requests", requests.limit)
                fields.append(known: "x-ratelimit-remaining-requests", requests.remaining)
                append("x-ratelimit-reset-requests", after: requests.reset, to: &fields)
            }
            if let tokens = standing.tokens {
                fields.append(known: "x-ratelimit-limit-tokens", tokens.limit)
                fields.append(known: "x-ratelimit-remaining-tokens", tokens.remaining)
                append("x-ratelimit-reset-tokens", after: tokens.reset, to: &fields)
            }
        }
    }

    private static let anthropicPath = Array("/v1/messages".utf8)

    /// Anthropic writes whole seconds.
    private static func moment(_ milliseconds: Int64, _ now: Timestamp) -> String {
        let reset = Timestamp(seconds: (now + .milliseconds(milliseconds + 999)).seconds)
        return "\(reset.description.prefix(19))Z"
    }

    private static func seconds(_ milliseconds: Int64) -> Int { Int((milliseconds + 999) / 1000) }

    /// As Go writes durations: `6m0s`, `1s`, `120ms`.
    private static func append(
        _ name: StaticString, after milliseconds: Int64, to fields: inout HTTPFields
    ) {
        if milliseconds < 1000 { return fields.append(known: name, Int(milliseconds), "ms") }
        let (minutes, rest) = (milliseconds / 60_000, milliseconds % 60_000)
        let seconds = (rest + 999) / 1000
        if minutes == 0 { return fields.append(known: name, Int(seconds), "s") }
        let (hours, left) = (minutes / 60, minutes % 60)
        var text: [UInt8] = []
        text.reserveCapacity(16)
        if hours > 0 {
            text.append(decimal: Int(hours))
            text.append("h" as StaticString)
        }
        text.append(decimal: Int(left))
        text.append("m" as StaticString)
        text.append(decimal: Int(seconds))
        text.append("s" as StaticString)
        fields.append(known: name, text)
    }
}
