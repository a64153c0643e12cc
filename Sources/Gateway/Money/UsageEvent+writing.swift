import Base
import Catalog
import Chat
import JSON

extension UsageEvent {
    /// What can be read back. Another version is read by who knows it.
    static let version = 1

    /// As the journal has it: one JSON document without line ends.
    package func encoded() -> [UInt8] {
        var json = JSONWriter(capacity: 512 + 256 * attempts.count)
        json.object { json in
            json.field("v", Self.version)
            json.field("id", id)
            json.field("request", requestID)
            json.field("organization", organization)
            json.field("user", user)
            json.field("key", key)
            json.field("endpoint", endpoint)
            json.field("model", model)
            json.field("at", Int(at.microseconds))
            json.array("attempts") { json in
                for attempt in attempts { attempt.write(to: &json) }
            }
            json.field("cost", Int(cost))
            if !charges.isEmpty {
                json.array("charges") { json in
                    for charge in charges {
                        json.object { json in
                            json.field("limit", charge.limit)
                            json.field("nano", Int(charge.nanodollars))
                        }
                    }
                }
            }
            json.field("cache", ifPresent: cache)
            if isDirect { json.field("direct", true) }
        }
        return json.bytes
    }
}

extension UsageEvent.Attempt {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("provider", provider)
            json.field("model", model)
            if isOwnKey { json.field("own_key", true) }
            json.field("started", Int(started.microseconds))
            json.field("latency", Self.microseconds(latency))
            if let timeToFirstToken { json.field("first_token", Self.microseconds(timeToFirstToken)) }
            json.field("outcome", outcome.rawValue)
            json.field("fault", ifPresent: fault)
            if let usage {
                json.object("tokens") { json in
                    for kind in TokenKind.allCases where kind.count(in: usage) != 0 {
                        json.key(dynamic: kind.rawValue)
                        json.value(kind.count(in: usage))
                    }
                }
                if usage.isEstimated { json.field("estimated", true) }
            }
            if imageCount != 0 { json.field("images", imageCount) }
            if let priceFrom { json.field("price", Int(priceFrom.microseconds)) }
            if let cost { json.field("cost", Int(cost)) }
        }
    }

    private static func microseconds(_ duration: Duration) -> Int { Int(duration.nanoseconds / 1000) }
}

extension JSONWriter {
    fileprivate mutating func field(_ name: StaticString, _ id: UUID) {
        key(name)
        id.withText { value(utf8: $0) }
    }
}
