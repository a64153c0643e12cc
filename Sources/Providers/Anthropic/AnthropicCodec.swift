package import Chat
import JSON

/// Anthropic's Messages API, as it is spoken with upstreams.
package struct AnthropicCodec: ChatCodec {
    package init() {}

    package var dialect: ChatDialect { .anthropic }

    package func encode(_ request: ChatRequest, for target: ChatTarget) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest
    {
        var writer = AnthropicRequestWriter(request, for: target)
        return try writer.messages()
    }

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
