package import Chat

/// How one wire format asks upstreams for vectors. Pure: bytes in, values out, and back.
package protocol EmbeddingCodec: Sendable {
    var dialect: EmbeddingDialect { get }

    /// `request` in this format, for the model that its provider knows as `model`.
    func encode(_ request: EmbeddingRequest, model: String) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest

    /// The answer to a request with `inputCount` inputs. An answer with another number of vectors is garbled.
    func decode(_ body: [UInt8], inputCount: Int) throws(UpstreamFault) -> EmbeddingReply

    /// What an answer of `status` that is no success says.
    func fault(status: Int, body: [UInt8]) -> UpstreamFault
}
