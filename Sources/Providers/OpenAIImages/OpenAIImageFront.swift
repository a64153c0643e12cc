package import Base
package import Chat
package import JSON

/// How clients ask us for images: OpenAI's `/v1/images/generations`.
package struct OpenAIImageFront: Sendable {
    package init() {}

    /// Throws every fault of the request at once, each with its field.
    package func request(_ document: JSONDocument) throws(Problem) -> ImageRequest {
        guard document.root.kind == .object else {
            throw Problem(.invalidRequest, code: "invalid_request", "The body must be a JSON object.")
        }
        let root = document.root
        var reader = RequestReader()
        let model = reader.requiredText(root["model"], "model")
        let prompt = reader.requiredText(root["prompt"], "prompt")
        var request = ImageRequest(model: model ?? "", prompt: prompt ?? "")
        request.negativePrompt = reader.text(root["negative_prompt"], "negative_prompt")
        request.count = reader.count(root["n"], from: 1, "n") ?? 1
        if request.count > ImageRequest.largestCount {
            reader.fault("n", "must not be more than \(ImageRequest.largestCount)")
        }
        request.size = Self.size(root["size"], &reader)
        request.quality = reader.filledText(root["quality"], "quality")
        request.background = reader.choice(root["background"], "background")
        request.style = reader.filledText(root["style"], "style")
        request.format = reader.filledText(root["output_format"], "output_format")
        request.compression = reader.count(root["output_compression"], from: 0, "output_compression")
        if let compression = request.compression, compression > 100 {
            reader.fault("output_compression", "must not be more than 100")
        }
        request.delivery = reader.choice(root["response_format"], "response_format")
        request.moderation = reader.filledText(root["moderation"], "moderation")
        request.seed = reader.integer(root["seed"], "seed")
        request.user = reader.text(root["user"], "user")
        if reader.flag(root["stream"], "stream") == true {
            reader.fault("stream", "must be false: images come in one piece here")
        }
        if let problem = reader.problem { throw problem }
        return request
    }

    private static func size(_ value: JSONValue?, _ reader: inout RequestReader) -> ImageRequest.Size? {
        guard let text = reader.text(value, "size") else { return nil }
        let size = ImageRequest.Size(text)
        if size == nil {
            reader.fault("size", "must be \"auto\", or a width and a height like \"1024x1536\"")
        }
        return size
    }

    package func body(_ reply: ImageReply, to request: ImageRequest, created: Timestamp) -> [UInt8] {
        let format = reply.format ?? request.format
        var json = JSONWriter(capacity: 1024)
        json.object { json in
            json.field("created", Int(created.seconds))
            json.array("data") { json in
                for image in reply.images {
                    json.object { json in
                        Self.write(image.content, format, request.delivery, &json)
                        json.field("revised_prompt", ifPresent: image.revisedPrompt)
                    }
                }
            }
            json.field(
                "background", ifPresent: request.background.flatMap { $0 == .auto ? nil : $0.rawValue })
            json.field("output_format", ifPresent: format)
            if let usage = reply.usage { Self.write(usage, &json) }
        }
        return json.bytes
    }

    private static func write(
        _ content: ImageReply.Content, _ format: String?, _ delivery: ImageRequest.Delivery?,
        _ json: inout JSONWriter
    ) {
        switch content {
        case .url(let url): json.field("url", url)
        // A client that wants an address gets one that holds the image itself.
        case .base64(let data) where delivery == .url:
            json.field("url", "data:image/\(format ?? "png");base64,\(data)")
        case .base64(let data): json.field("b64_json", data)
        }
    }

    private static func write(_ usage: ImageReply.Usage, _ json: inout JSONWriter) {
        let input = usage.textInput + usage.imageInput
        json.object("usage") { json in
            json.field("input_tokens", input)
            json.field("output_tokens", usage.output)
            json.field("total_tokens", input + usage.output)
            json.object("input_tokens_details") { json in
                json.field("text_tokens", usage.textInput)
                json.field("image_tokens", usage.imageInput)
            }
        }
    }
}
