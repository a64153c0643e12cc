import Chat
import JSON

/// Reads what a reply has used up. `inputTokens` is without what was read from the cache or kept in it.
enum BedrockUsage {
    static func read(_ value: JSONValue?) throws(UpstreamFault) -> ChatUsage? {
        guard let value = value.present else { return nil }
        let written = try count(value["cacheWriteInputTokens"], "usage.cacheWriteInputTokens")
        var hour = 0
        for detail in value["cacheDetails"].map({ Array($0.elements) }) ?? [] {
            guard detail["ttl"]?.stringEquals("1h") == true else { continue }
            hour += try count(detail["inputTokens"], "usage.cacheDetails.inputTokens")
        }
        return ChatUsage(
            input: try count(value["inputTokens"], "usage.inputTokens"),
            cacheRead: try count(value["cacheReadInputTokens"], "usage.cacheReadInputTokens"),
            cacheWrite: max(0, written - hour), cacheWriteHour: hour,
            output: try count(value["outputTokens"], "usage.outputTokens"))
    }

    private static func count(_ value: JSONValue?, _ name: String) throws(UpstreamFault) -> Int {
        guard let value = value.present else { return 0 }
        return try ReplyField.count(value, name)
    }
}
