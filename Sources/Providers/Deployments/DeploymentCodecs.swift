import Chat
import JSON

/// A chat dialect at the addresses of deployments.
struct DeploymentChatCodec: ChatCodec {
    let address: DeploymentAddress
    let codec: any ChatCodec

    var dialect: ChatDialect { codec.dialect }

    func encode(_ request: ChatRequest, for target: ChatTarget) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest
    {
        try address.place(try codec.encode(request, for: target), target.model)
    }

    func codec(for target: ChatTarget, answering request: ChatRequest) -> any ChatCodec {
        DeploymentChatCodec(address: address, codec: codec.codec(for: target, answering: request))
    }

    func forward(
        _ document: JSONDocument, _ outline: ChatOutline, for target: ChatTarget
    ) -> UpstreamRequest? {
        codec.forward(document, outline, for: target).flatMap { try? address.place($0, target.model) }
    }

    func usage(of answer: JSONValue) throws(UpstreamFault) -> ChatUsage? { try codec.usage(of: answer) }

    func watcher(_ outline: ChatOutline) -> any StreamWatcher { codec.watcher(outline) }

    func decode(_ body: [UInt8]) throws(UpstreamFault) -> ChatReply { try codec.decode(body) }

    func streamDecoder() -> any ChatStreamDecoder { codec.streamDecoder() }

    func fault(status: Int, body: [UInt8]) -> UpstreamFault { codec.fault(status: status, body: body) }
}

/// The same for vectors.
struct DeploymentEmbeddingCodec: EmbeddingCodec {
    let address: DeploymentAddress
    let codec: any EmbeddingCodec

    var dialect: EmbeddingDialect { codec.dialect }

    func encode(_ request: EmbeddingRequest, model: String) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest
    {
        try address.place(try codec.encode(request, model: model), model)
    }

    func decode(_ body: [UInt8], inputCount: Int) throws(UpstreamFault) -> EmbeddingReply {
        try codec.decode(body, inputCount: inputCount)
    }

    func fault(status: Int, body: [UInt8]) -> UpstreamFault { codec.fault(status: status, body: body) }
}

/// The same for images.
struct DeploymentImageCodec: ImageCodec {
    let address: DeploymentAddress
    let codec: any ImageCodec

    var dialect: ImageDialect { codec.dialect }

    func encode(_ request: ImageRequest, model: String) throws(UpstreamRequest.Unsayable) -> UpstreamRequest {
        try address.place(try codec.encode(request, model: model), model)
    }

    func decode(_ body: [UInt8]) throws(UpstreamFault) -> ImageReply { try codec.decode(body) }

    func fault(status: Int, body: [UInt8]) -> UpstreamFault { codec.fault(status: status, body: body) }
}
