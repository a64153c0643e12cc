import Chat
import JSON

extension ChatUsage {
    /// nil where the provider does not say.
    init?(openAIResponses usage: JSONValue?) {
        guard let usage = usage.present, let read = usage["input_tokens"]?.int,
            let made = usage["output_tokens"]?.int
        else { return nil }
        let details = usage["input_tokens_details"]
        let cached = details?["cached_tokens"]?.int ?? 0
        let written = details?["cache_write_tokens"]?.int ?? 0
        let longer = details?["cache_write_tokens_details"]?["ttl_12h_tokens"]?.int ?? 0
        let thought = usage["output_tokens_details"]?["reasoning_tokens"]?.int ?? 0
        // Thoughts are part of the output, but some providers count them beside it.
        let isBeside = thought > made || usage["total_tokens"]?.int == read + made + thought
        self.init(
            input: max(0, read - cached - written), cacheRead: cached, cacheWrite: max(0, written - longer),
            cacheWriteHour: longer, output: isBeside ? made : made - thought, reasoning: thought)
    }

    func writeOpenAIResponses(_ json: inout JSONWriter) {
        json.object { json in
            json.field("input_tokens", totalInput)
            json.object("input_tokens_details") { json in
                json.field("cached_tokens", cacheRead)
                json.field("cache_write_tokens", cacheWrite + cacheWriteHour)
                if cacheWriteHour == 0 { return }
                json.object("cache_write_tokens_details") { json in
                    json.field("ttl_30m_tokens", cacheWrite)
                    json.field("ttl_12h_tokens", cacheWriteHour)
                }
            }
            json.field("output_tokens", totalOutput)
            json.object("output_tokens_details") { $0.field("reasoning_tokens", reasoning) }
            json.field("total_tokens", totalInput + totalOutput)
        }
    }
}
