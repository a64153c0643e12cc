package import Chat
import JSON

/// Stability's images, version 2 beta: one at a time.
package struct StabilityCodec: ImageCodec {
    package init() {}

    package var dialect: ImageDialect { .stability }

    private static let largestSeed = 4_294_967_294

    package func encode(_ request: ImageRequest, model: String) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest
    {
        let door = try Self.door(of: model)
        try Self.check(request, door)
        var form = MultipartForm()
        form.add("prompt", request.prompt)
        form.add("negative_prompt", request.negativePrompt)
        if case .pixels(let width, let height) = request.size {
            form.add("aspect_ratio", StabilityAspectRatio.nearest(width: width, height: height))
        }
        form.add("seed", request.seed.map(String.init))
        form.add("output_format", request.format)
        if door == "sd3" { form.add("model", model) }
        let (contentType, body) = form.encoded()
        return UpstreamRequest(
            path: "/v2beta/stable-image/generate/\(door)",
            fields: [("Accept", "application/json"), ("Content-Type", contentType)], body: body,
            omitted: Self.omitted(request))
    }

    private static func door(of model: String) throws(UpstreamRequest.Unsayable) -> String {
        switch model {
        case "core", "stable-image-core": return "core"
        case "ultra", "stable-image-ultra": return "ultra"
        default:
            guard model.hasPrefix("sd3") else { throw .init("model", "is none that draws from words") }
            return "sd3"
        }
    }

    private static func check(_ request: ImageRequest, _ door: String) throws(UpstreamRequest.Unsayable) {
        if request.count > 1 { throw .init("n", "must be 1 for this model: it gives one image at a time") }
        if request.background == .transparent {
            throw .init("background", "must not be \"transparent\" for this model")
        }
        if let seed = request.seed, !(0...largestSeed).contains(seed) {
            throw .init("seed", "must be from 0 to \(largestSeed) for this model")
        }
        let formats = door == "sd3" ? ["png", "jpeg"] : ["png", "jpeg", "webp"]
        if let format = request.format, !formats.contains(format) {
            throw .init("output_format", "must be one of \(formats.joined(separator: ", ")) for this model")
        }
    }

    private static func omitted(_ request: ImageRequest) -> [String] {
        var omitted: [String] = []
        if request.quality != nil { omitted.append("quality") }
        if request.style != nil { omitted.append("style") }
        if request.compression != nil { omitted.append("output_compression") }
        if request.moderation != nil { omitted.append("moderation") }
        if request.user != nil { omitted.append("user") }
        return omitted
    }

    package func decode(_ body: [UInt8]) throws(UpstreamFault) -> ImageReply {
        let root = try JSONDocument(upstream: body).root
        let reason = root["finish_reason"]?.string
        switch reason {
        case nil, "SUCCESS": break
        case "CONTENT_FILTERED":
            throw UpstreamFault(
                .contentRefused, "The provider drew an image and does not show it.", code: reason)
        default: throw UpstreamFault(.failed, "The provider failed to draw the image.", code: reason)
        }
        guard let image = root["image"]?.string, !image.isEmpty else {
            throw .garbled("an answer without an image")
        }
        return ImageReply(images: [.init(.base64(image))])
    }

    package func fault(status: Int, body: [UInt8]) -> UpstreamFault {
        let document = try? JSONDocument(parsing: body)
        let reasons = document?["errors"]?.elements.compactMap(\.string) ?? []
        let name = document?["name"]?.string
        let message = reasons.isEmpty ? document?["message"]?.string : reasons.joined(separator: "; ")
        return UpstreamFault(
            name == "content_moderation" ? .contentRefused : UpstreamFault.kind(ofStatus: status),
            status: status, message ?? "The provider answered \(status) and did not say why.", code: name)
    }
}
