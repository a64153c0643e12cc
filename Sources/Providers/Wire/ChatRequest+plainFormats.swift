import Chat
import JSON

/// What formats share that have words for the conversation and little else.
extension ChatRequest {
    /// What they leave out, as OpenAI's dialects name it.
    var omittedInPlainFormats: [String] {
        var names: [String] = []
        if hints.user != nil { names.append("user") }
        if hints.serviceTier != nil { names.append("service_tier") }
        if hints.promptCacheKey != nil { names.append("prompt_cache_key") }
        if hints.verbosity != nil { names.append("verbosity") }
        if !hints.metadata.isEmpty { names.append("metadata") }
        if hints.store == true { names.append("store") }
        if hasCacheMarkers { names.append("cache_control") }
        if messages.contains(where: { $0.name != nil }) { names.append("name") }
        if allowsParallelToolCalls == false { names.append("parallel_tool_calls") }
        return names
    }

    /// Whether some part asks for the prompt to be kept up to it.
    private var hasCacheMarkers: Bool {
        tools.contains { $0.cache != nil }
            || messages.contains { $0.parts.contains { $0.cache != nil } }
    }

    /// Refuses to be asked for several answers.
    func requireOneAnswer() throws(UpstreamRequest.Unsayable) {
        if choiceCount > 1 { throw .init("n", "this model gives one answer at a time") }
    }

    /// The tools, all of which must be functions.
    var functions: [ChatTool.Function] {
        get throws(UpstreamRequest.Unsayable) {
            var functions: [ChatTool.Function] = []
            for (index, tool) in tools.enumerated() {
                guard case .function(let function) = tool.kind else {
                    throw .init("tools[\(index)]", "is of a kind that this model does not know")
                }
                functions.append(function)
            }
            return functions
        }
    }
}

extension ChatTool.Function {
    /// Without strictness, and always with parameters.
    func writePlain(to json: inout JSONWriter) {
        json.object { json in
            json.field("type", "function")
            json.object("function") { json in
                json.field("name", name)
                json.field("description", ifPresent: description)
                json.key("parameters")
                if let parameters {
                    json.value(parameters)
                } else {
                    json.object { json in
                        json.field("type", "object")
                        json.object("properties") { _ in }
                    }
                }
            }
        }
    }
}
