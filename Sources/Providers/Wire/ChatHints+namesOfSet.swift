import Chat

extension ChatHints {
    /// What a format without words for any of these leaves out, as OpenAI's dialects name it.
    var namesOfSet: [String] {
        var names: [String] = []
        if user != nil { names.append("user") }
        if serviceTier != nil { names.append("service_tier") }
        if promptCacheKey != nil { names.append("prompt_cache_key") }
        if verbosity != nil { names.append("verbosity") }
        if !metadata.isEmpty { names.append("metadata") }
        if store == true { names.append("store") }
        return names
    }
}

extension ChatRequest {
    /// Whether some part asks for the prompt to be kept up to it.
    var hasCacheMarkers: Bool {
        tools.contains { $0.cache != nil }
            || messages.contains { $0.parts.contains { $0.cache != nil } }
    }
}
