package import Chat
import JSON

/// Amazon Bedrock's Converse API, as it is spoken with one model.
package struct BedrockCodec: ChatCodec, TokenCounting {
    private let isAnthropic: Bool?
    private let model: BedrockModel

    /// `isAnthropic` for names that do not tell, like those of application inference profiles.
    package init(model: String = "", isAnthropic: Bool? = nil) {
        self.isAnthropic = isAnthropic
        self.model = BedrockModel(model, isAnthropic: isAnthropic)
    }

    package var dialect: ChatDialect { .bedrock }

    package func codec(for target: ChatTarget, answering request: ChatRequest) -> any ChatCodec {
        BedrockCodec(model: target.model, isAnthropic: isAnthropic)
    }

    package func encode(_ request: ChatRequest, for target: ChatTarget) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest
    {
        var writer = writer(request, for: target)
        return try writer.converse()
    }

    package func decode(_ body: [UInt8]) throws(UpstreamFault) -> ChatReply {
        try BedrockReply.read(JSONDocument(upstream: body).root, sealOrigin: model.sealOrigin)
    }

    package func streamDecoder() -> any ChatStreamDecoder {
        BedrockStreamDecoder(sealOrigin: model.sealOrigin)
    }

    package func fault(status: Int, body: [UInt8]) -> UpstreamFault {
        BedrockFault.read(status: status, body: body)
    }

    /// Asks how many tokens `request` has.
    package func encodeCount(_ request: ChatRequest, for target: ChatTarget) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest
    {
        var writer = writer(request, for: target)
        return try writer.count()
    }

    /// The answer to `encodeCount`.
    package func decodeCount(_ body: [UInt8]) throws(UpstreamFault) -> Int {
        try ReplyField.count(JSONDocument(upstream: body)["inputTokens"], "inputTokens")
    }

    private func writer(_ request: ChatRequest, for target: ChatTarget) -> BedrockRequestWriter {
        BedrockRequestWriter(
            request, for: target, model: BedrockModel(target.model, isAnthropic: isAnthropic))
    }
}
