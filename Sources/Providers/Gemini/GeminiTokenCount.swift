package import Chat
import JSON

/// Asks Gemini how many tokens a prompt is.
package enum GeminiTokenCount {
    package static func encode(_ request: ChatRequest, for target: ChatTarget)
        throws(UpstreamRequest.Unsayable) -> UpstreamRequest
    {
        let model = GeminiModel(target.model)
        var writer = GeminiRequestWriter(model)
        try writer.write(countedOf: request)
        return UpstreamRequest(
            path: model.path("countTokens"), body: writer.json.bytes, omitted: writer.omitted)
    }

    package static func decode(_ body: [UInt8]) throws(UpstreamFault) -> Int {
        guard let count = try JSONDocument(upstream: body)["totalTokens"]?.int, count >= 0 else {
            throw .garbled("a count of tokens without totalTokens")
        }
        return count
    }

    package static func fault(status: Int, body: [UInt8]) -> UpstreamFault {
        GeminiFault.read(status: status, body: body)
    }
}
