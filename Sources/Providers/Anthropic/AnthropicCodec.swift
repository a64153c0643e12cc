package import Chat
package import JSON

/// Anthropic's Messages API, as it is spoken with upstreams.
package struct AnthropicCodec: ChatCodec, TokenCounting {
    package init() {}

    package var dialect: ChatDialect { .anthropic }

    package func encode(_ request: ChatRequest, for target: ChatTarget) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest
    {
        var writer = AnthropicRequestWriter(request, for: target)
        return try writer.messages()
    }

    package func forward(
        _ document: JSONDocument, _ outline: ChatOutline, for target: ChatTarget
    ) -> UpstreamRequest? {
        do {
            let body = try document.patched([.replace(["model"], .json(target.model))])
            return UpstreamRequest(path: "/v1/messages", fields: [AnthropicRequestWriter.version], body: body)
        } catch {
            preconditionFailure("the model was read from this document: \(error)")
        }
    }

    package func usage(of answer: JSONValue) throws(UpstreamFault) -> ChatUsage? {
        var usage = AnthropicUsage()
        try usage.take(answer["usage"])
        return usage.chat
    }

    package func watcher(_ outline: ChatOutline) -> any StreamWatcher { AnthropicWatcher() }

    package func decode(_ body: [UInt8]) throws(UpstreamFault) -> ChatReply {
        try AnthropicReply.read(JSONDocument(upstream: body).root)
    }

    package func streamDecoder() -> any ChatStreamDecoder { AnthropicStreamDecoder() }

    package func fault(status: Int, body: [UInt8]) -> UpstreamFault {
        AnthropicFault.read(status: status, body: body)
    }

    /// Asks how many tokens `request` has.
    package func encodeCount(_ request: ChatRequest, for target: ChatTarget) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest
    {
        var writer = AnthropicRequestWriter(request, for: target)
        return try writer.count()
    }

    /// The answer to `encodeCount`.
    package func decodeCount(_ body: [UInt8]) throws(UpstreamFault) -> Int {
        try ReplyField.count(JSONDocument(upstream: body)["input_tokens"], "input_tokens")
    }
}
