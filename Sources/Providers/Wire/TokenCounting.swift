package import Chat

/// Upstreams that say how many tokens a request has, without answering it.
package protocol TokenCounting: ChatCodec {
    func encodeCount(_ request: ChatRequest, for target: ChatTarget) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest

    func decodeCount(_ body: [UInt8]) throws(UpstreamFault) -> Int
}
