package import Chat

/// How one wire format is spoken with upstreams. Pure: bytes in, values out, and back.
package protocol ChatCodec: Sendable {
    var dialect: ChatDialect { get }

    /// `request` in this format. What the format cannot say and an answer would be wrong without is a `Problem` that
    /// names the field; what an answer is as good without is left out and named in `omitted`.
    func encode(_ request: ChatRequest, for target: ChatTarget) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest

    /// The whole answer of a request that was not streamed.
    func decode(_ body: [UInt8]) throws(UpstreamFault) -> ChatReply

    /// For the answer of a request that was streamed.
    func streamDecoder() -> any ChatStreamDecoder

    /// What an answer of `status` that is no success says.
    func fault(status: Int, body: [UInt8]) -> UpstreamFault
}

/// Reads an upstream's stream as it arrives, whatever the cuts.
package protocol ChatStreamDecoder: Sendable {
    /// Appends what `bytes` say to `events`. Throws what the upstream reports in the middle of its stream, and where
    /// the stream is garbled.
    mutating func take(_ bytes: [UInt8], into events: inout [ChatEvent]) throws(UpstreamFault)

    /// The upstream has closed its stream. Throws unless it was whole.
    mutating func end(into events: inout [ChatEvent]) throws(UpstreamFault)
}

/// The model that is asked, as its provider knows it.
package struct ChatTarget: Sendable {
    /// As the provider names it.
    package var model: String
    /// The most tokens that it answers, where that is known.
    package var maximumOutput: Int?

    package init(model: String, maximumOutput: Int? = nil) {
        self.model = model
        self.maximumOutput = maximumOutput
    }
}
