package import Chat
import JSON

/// OpenAI's images, as some others speak them too.
package struct OpenAIImageCodec: ImageCodec {
    package init() {}

    package var dialect: ImageDialect { .openAI }

    package func encode(_ request: ImageRequest, model: String) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest
    {
        var omitted: [String] = []
        var json = JSONWriter(capacity: 1024)
        json.object { json in
            json.field("model", model)
            json.field("prompt", request.prompt)
            json.field("n", request.count)
            json.field("size", ifPresent: request.size?.text)
            json.field("quality", ifPresent: request.quality)
            json.field("background", ifPresent: request.background?.rawValue)
            json.field("style", ifPresent: request.style)
            json.field("output_format", ifPresent: request.format)
            json.field("output_compression", ifPresent: request.compression)
            if let delivery = request.delivery, Self.takesDelivery(model) {
                json.field("response_format", delivery.rawValue)
            }
            json.field("moderation", ifPresent: request.moderation)
            json.field("user", ifPresent: request.user)
        }
        if request.negativePrompt != nil { omitted.append("negative_prompt") }
        if request.seed != nil { omitted.append("seed") }
        return UpstreamRequest(path: "/images/generations", body: json.bytes, omitted: omitted)
    }

    /// The GPT models always give the image itself, and refuse to be told.
    private static func takesDelivery(_ model: String) -> Bool {
        !model.hasPrefix("gpt-image") && !model.hasPrefix("chatgpt-image")
    }

    package func decode(_ body: [UInt8]) throws(UpstreamFault) -> ImageReply {
        let root = try JSONDocument(upstream: body).root
        var images: [ImageReply.Image] = []
        for item in root["data"]?.elements.map({ $0 }) ?? [] {
            let revised = item["revised_prompt"].present?.string
            if let data = item["b64_json"].present?.string, !data.isEmpty {
                images.append(.init(.base64(data), revisedPrompt: revised))
            } else if let url = item["url"].present?.string, !url.isEmpty {
                images.append(.init(.url(url), revisedPrompt: revised))
            } else {
                throw .garbled("an image that is neither there nor elsewhere")
            }
        }
        if images.isEmpty { throw .garbled("an answer without images") }
        return ImageReply(
            images: images, format: root["output_format"].present?.string, usage: Self.usage(root["usage"]))
    }

    private static func usage(_ value: JSONValue?) -> ImageReply.Usage? {
        guard let value = value.present, let input = value["input_tokens"]?.tokenCount,
            let output = value["output_tokens"]?.tokenCount
        else { return nil }
        let imageInput = min(input, value["input_tokens_details"]?["image_tokens"]?.tokenCount ?? 0)
        return ImageReply.Usage(textInput: input - imageInput, imageInput: imageInput, output: output)
    }

    package func fault(status: Int, body: [UInt8]) -> UpstreamFault {
        OpenAIFault.read(status: status, body)
    }
}
