import Chat
import JSON

/// Reads what a reply has used up, which a stream says in parts: what comes later replaces what came before, and what
/// it leaves out stays.
struct AnthropicUsage {
    private var input = 0
    private var cacheRead = 0
    /// Both lifetimes together; nil where only the parts are said.
    private var cacheCreation: Int?
    private var cacheCreationShort = 0
    private var cacheCreationHour = 0
    private var output = 0
    private var thinking = 0
    /// The summaries of a conversation that has become too long are not within the other numbers.
    private var compactions = ChatUsage()
    /// Whether anything was said at all.
    private(set) var isKnown = false

    mutating func take(_ usage: JSONValue?) throws(UpstreamFault) {
        guard let usage = usage.present else { return }
        guard usage.kind == .object else { throw .garbled("usage is no object") }
        isKnown = true
        for member in usage.members where !member.value.isNull {
            let value = member.value
            switch member.key {
            case "input_tokens": input = try ReplyField.count(value, "usage.input_tokens")
            case "cache_read_input_tokens":
                cacheRead = try ReplyField.count(value, "usage.cache_read_input_tokens")
            case "cache_creation_input_tokens":
                cacheCreation = try ReplyField.count(value, "usage.cache_creation_input_tokens")
            case "cache_creation":
                cacheCreationShort = value["ephemeral_5m_input_tokens"]?.int ?? 0
                cacheCreationHour = value["ephemeral_1h_input_tokens"]?.int ?? 0
            case "output_tokens": output = try ReplyField.count(value, "usage.output_tokens")
            case "output_tokens_details": thinking = value["thinking_tokens"]?.int ?? 0
            case "iterations": compactions = try Self.compactions(value)
            default: break
            }
        }
    }

    var chat: ChatUsage? {
        guard isKnown else { return nil }
        let written = cacheCreation ?? (cacheCreationShort + cacheCreationHour)
        let reasoning = min(thinking, output)
        return ChatUsage(
            input: input + compactions.input, cacheRead: cacheRead + compactions.cacheRead,
            cacheWrite: max(0, written - cacheCreationHour) + compactions.cacheWrite,
            cacheWriteHour: cacheCreationHour + compactions.cacheWriteHour,
            output: output - reasoning + compactions.output, reasoning: reasoning)
    }

    private static func compactions(_ iterations: JSONValue) throws(UpstreamFault) -> ChatUsage {
        var sum = ChatUsage()
        for iteration in iterations.elements where iteration["type"]?.stringEquals("compaction") == true {
            var usage = AnthropicUsage()
            try usage.take(iteration)
            guard let one = usage.chat else { continue }
            sum.input += one.input
            sum.cacheRead += one.cacheRead
            sum.cacheWrite += one.cacheWrite
            sum.cacheWriteHour += one.cacheWriteHour
            sum.output += one.output
        }
        return sum
    }

    // MARK: Writing

    /// The object `usage` of a whole reply.
    static func write(_ usage: ChatUsage, to json: inout JSONWriter) {
        json.object("usage") { json in
            writeCounts(usage, to: &json)
            json.object("cache_creation") { json in
                json.field("ephemeral_5m_input_tokens", usage.cacheWrite)
                json.field("ephemeral_1h_input_tokens", usage.cacheWriteHour)
            }
            json.null("service_tier")
        }
    }

    /// The object `usage` of the end of a stream.
    static func writeFinal(_ usage: ChatUsage, to json: inout JSONWriter) {
        json.object("usage") { writeCounts(usage, to: &$0) }
    }

    private static func writeCounts(_ usage: ChatUsage, to json: inout JSONWriter) {
        json.field("input_tokens", usage.input + usage.audioInput)
        json.field("cache_creation_input_tokens", usage.cacheWrite + usage.cacheWriteHour)
        json.field("cache_read_input_tokens", usage.cacheRead)
        json.field("output_tokens", usage.totalOutput)
        if usage.reasoning == 0 { return }
        json.object("output_tokens_details") { $0.field("thinking_tokens", usage.reasoning) }
    }
}
