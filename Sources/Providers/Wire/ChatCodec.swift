package import Chat
package import JSON

/// How one wire format is spoken with upstreams. Pure: bytes in, values out, and back.
package protocol ChatCodec: Sendable {
    var dialect: ChatDialect { get }

    /// `request` in this format. What the format cannot say and an answer would be wrong without is a `Problem` that
    /// names the field; what an answer is as good without is left out and named in `omitted`.
    func encode(_ request: ChatRequest, for target: ChatTarget) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest

    /// A codec for one request and its answer: some formats leave out what the model or the conversation tells.
    func codec(for target: ChatTarget, answering request: ChatRequest) -> any ChatCodec

    /// A client's request of this same dialect, with nothing changed but what must be; nil where clients do not speak
    /// this dialect.
    func forward(_ document: JSONDocument, _ outline: ChatOutline, for target: ChatTarget) -> UpstreamRequest?

    /// What a whole answer of this dialect took, read beside passing it on. Throws what it reports instead of an answer.
    func usage(of answer: JSONValue) throws(UpstreamFault) -> ChatUsage?

    /// Looks at the events of a stream of this dialect that is passed on.
    func watcher(_ outline: ChatOutline) -> any StreamWatcher

    /// The whole answer of a request that was not streamed.
    func decode(_ body: [UInt8]) throws(UpstreamFault) -> ChatReply

    /// For the answer of a request that was streamed.
    func streamDecoder() -> any ChatStreamDecoder

    /// What an answer of `status` that is no success says.
    func fault(status: Int, body: [UInt8]) -> UpstreamFault
}

extension ChatCodec {
    package func codec(for target: ChatTarget, answering request: ChatRequest) -> any ChatCodec { self }

    package func forward(
        _ document: JSONDocument, _ outline: ChatOutline, for target: ChatTarget
    ) -> UpstreamRequest? { nil }

    package func usage(of answer: JSONValue) throws(UpstreamFault) -> ChatUsage? { nil }

    package func watcher(_ outline: ChatOutline) -> any StreamWatcher {
        preconditionFailure("\(dialect) has no clients, so nothing is passed on in it")
    }
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
