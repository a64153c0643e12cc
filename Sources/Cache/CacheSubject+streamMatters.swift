package import Chat
package import JSON

extension CacheSubject {
    /// Whether a stream and a whole answer cannot be made of each other, so that one must not be given for the other.
    ///
    /// What is not known to be convertible is not: several answers at once, probabilities, sounds, what comes to be
    /// later.
    package static func streamMatters(in document: JSONDocument, dialect: ChatDialect) -> Bool {
        guard document.root.kind == .object else { return true }
        let convertible = convertible[dialect] ?? []
        return !document.root.members.allSatisfy { member in
            let name = member.key.string
            return convertible.contains(name) || member.value.isNull
                || isConvertible(member.value, name, dialect)
        }
    }

    /// Fields for which it depends on what they say.
    private static func isConvertible(_ value: JSONValue, _ name: String, _ dialect: ChatDialect) -> Bool {
        switch (dialect, name) {
        case (.openAIChat, "n"): value.int == 1
        case (.openAIChat, "logprobs"), (.openAIResponses, "background"): value.bool == false
        case (.openAIResponses, "include"):
            value.elements.allSatisfy { $0.stringEquals("reasoning.encrypted_content") }
        default: false
        }
    }

    /// Fields that are convertible whatever they say. Of dialects that no client speaks there are none.
    private static let convertible: [ChatDialect: Set<String>] = [
        .openAIChat: [
            "model", "models", "provider", "messages", "tools", "tool_choice", "parallel_tool_calls",
            "response_format", "temperature", "top_p", "top_k", "min_p", "frequency_penalty",
            "presence_penalty", "repetition_penalty", "logit_bias", "seed", "stop", "max_tokens",
            "max_completion_tokens", "reasoning", "reasoning_effort", "verbosity", "user",
            "safety_identifier", "service_tier", "prompt_cache_key", "prompt_cache_retention", "store",
            "metadata", "stream", "stream_options",
        ],
        .openAIResponses: [
            "model", "models", "provider", "input", "instructions", "tools", "tool_choice",
            "parallel_tool_calls", "max_tool_calls", "text", "max_output_tokens", "temperature", "top_p",
            "reasoning", "truncation", "user", "safety_identifier", "service_tier", "prompt_cache_key",
            "prompt_cache_retention", "store", "metadata", "stream", "stream_options",
        ],
        .anthropic: [
            "model", "models", "provider", "messages", "system", "tools", "tool_choice", "max_tokens",
            "temperature", "top_p", "top_k", "stop_sequences", "thinking", "output_config", "output_format",
            "metadata", "service_tier", "cache_control", "stream",
        ],
        .hivegate: [
            "model", "models", "provider", "prompt", "messages", "system", "schema", "repair", "fetch_images",
            "max_tokens", "temperature", "top_p", "stop", "seed", "tools", "tool_choice", "reasoning",
            "metadata", "stream",
        ],
    ]
}
