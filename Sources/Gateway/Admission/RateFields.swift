import Admission
import Base
import HTTPServer
import HTTPWire

/// How much is left, as clients read it: in our words, and in OpenAI's and Anthropic's where their clients ask.
enum RateFields {
    static func append(
        _ standing: Standing, to fields: inout HTTPFields, now: @autoclosure () -> Timestamp,
        _ exchange: Exchange
    ) {
        guard let tightest = standing.tightest else { return }
        fields.append(known: "X-RateLimit-Limit", tightest.limit)
        fields.append(known: "X-RateLimit-Remaining", tightest.remaining)
        fields.append(known: "X-RateLimit-Reset", seconds(tightest.reset))
        if exchange.request.path.starts(with: anthropicPath) {
            if let requests = standing.requests {
                fields.append(known: "anthropic-ratelimit-requests-limit", requests.limit)
                fields.append(known: "anthropic-ratelimit-requests-remaining", requests.remaining)
                fields.append("anthropic-ratelimit-requests-reset", moment(requests.reset, now()))
            }
            if let tokens = standing.tokens {
                fields.append(known: "anthropic-ratelimit-tokens-limit", tokens.limit)
                fields.append(known: "anthropic-ratelimit-tokens-remaining", tokens.remaining)
                fields.append("anthropic-ratelimit-tokens-reset", moment(tokens.reset, now()))
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
    static func append(_ name: StaticString, after milliseconds: Int64, to fields: inout HTTPFields) {
        withUnsafeTemporaryAllocation(byteCount: 3 * (1 + DecimalDigits.most), alignment: 1) { text in
            // From its end.
            var start = text.count
            func write(_ unit: Unicode.Scalar) {
                start -= 1
                text[start] = UInt8(ascii: unit)
            }
            func write(_ number: Int64) {
                start = DecimalDigits.write(UInt(number.magnitude), before: start, in: text)
            }
            write("s")
            if milliseconds < 1000 {
                write("m")
                write(milliseconds)
            } else {
                let (minutes, rest) = (milliseconds / 60_000, milliseconds % 60_000)
                write((rest + 999) / 1000)
                if minutes > 0 {
                    write("m")
                    write(minutes % 60)
                }
                if minutes >= 60 {
                    write("h")
                    write(minutes / 60)
                }
            }
            fields.append(known: name, UnsafeRawBufferPointer(rebasing: text[start...]))
        }
    }
}
