import Chat
import Foundation
import Providers
import Testing

struct StabilityTests {
    private let codec = StabilityCodec()

    /// The fields of a form, by its own rules: pieces between the boundary that the type names.
    private func form(_ request: UpstreamRequest) throws -> [String: String] {
        let type = try #require(request.fields.first { $0.name == "Content-Type" }?.value)
        let halves = type.components(separatedBy: "; boundary=")
        #expect(halves[0] == "multipart/form-data")
        let text = try #require(String(bytes: request.body, encoding: .utf8))
        let pieces = text.components(separatedBy: "--\(halves[1])")
        #expect(pieces.first == "")
        #expect(pieces.last == "--\r\n")
        var fields: [String: String] = [:]
        for piece in pieces.dropFirst().dropLast() {
            #expect(piece.hasPrefix("\r\n") && piece.hasSuffix("\r\n"))
            let split = try #require(piece.range(of: "\r\n\r\n"))
            let name = piece[..<split.lowerBound].components(separatedBy: "\"")[1]
            #expect(fields[name] == nil)
            // Swift takes a carriage return and its line feed for one character.
            fields[name] = String(piece[split.upperBound...].unicodeScalars.dropLast(2).map(Character.init))
        }
        return fields
    }

    private func field(_ request: ImageRequest, _ model: String) -> String? {
        do throws(UpstreamRequest.Unsayable) {
            _ = try codec.encode(request, model: model)
            return nil
        } catch { return error.field }
    }

    @Test func `a request is a form with all that can be said`() throws {
        var request = ImageRequest(model: "m", prompt: "ein „Fuchs“\n--x\n🦊")
        request.negativePrompt = "snow"
        request.size = .pixels(width: 1792, height: 1024)
        request.seed = 7
        request.format = "jpeg"
        request.quality = "hd"
        request.user = "u"
        let written = try codec.encode(request, model: "sd3.5-large")
        #expect(written.path == "/v2beta/stable-image/generate/sd3")
        #expect(written.fields.contains { $0 == ("Accept", "application/json") })
        #expect(written.omitted == ["quality", "user"])
        #expect(
            try form(written) == [
                "prompt": request.prompt, "negative_prompt": "snow", "aspect_ratio": "16:9", "seed": "7",
                "output_format": "jpeg", "model": "sd3.5-large",
            ])
        let core = try codec.encode(ImageRequest(model: "m", prompt: "p"), model: "stable-image-core")
        #expect(core.path == "/v2beta/stable-image/generate/core")
        #expect(try form(core) == ["prompt": "p"])
        #expect(
            try codec.encode(ImageRequest(model: "m", prompt: "p"), model: "stable-image-ultra").path
                == "/v2beta/stable-image/generate/ultra")
    }

    @Test func `the same request is the same bytes, another has another boundary`() throws {
        let one = try codec.encode(ImageRequest(model: "m", prompt: "p"), model: "core")
        let same = try codec.encode(ImageRequest(model: "m", prompt: "p"), model: "core")
        let other = try codec.encode(ImageRequest(model: "m", prompt: "q"), model: "core")
        #expect(one.body == same.body)
        let types = [one, other].map { request in request.fields.first { $0.name == "Content-Type" }?.value }
        #expect(types[0] != types[1])
    }

    @Test(arguments: [
        (1024, 1024, "1:1"), (1536, 1024, "3:2"), (1024, 1536, "2:3"), (1792, 1024, "16:9"),
        (1024, 1792, "9:16"), (3000, 1000, "21:9"), (100, 300, "9:21"), (1280, 1024, "5:4"),
        (512, 640, "4:5"),
    ])
    func `a size is drawn in the shape that is nearest`(width: Int, height: Int, ratio: String) throws {
        var request = ImageRequest(model: "m", prompt: "p")
        request.size = .pixels(width: width, height: height)
        #expect(try form(codec.encode(request, model: "core"))["aspect_ratio"] == ratio)
    }

    @Test func `what cannot be had is refused by its name`() {
        let plain = ImageRequest(model: "m", prompt: "p")
        #expect(field(plain, "upscale") == "model")
        var request = plain
        request.count = 2
        #expect(field(request, "core") == "n")
        request = plain
        request.background = .transparent
        #expect(field(request, "core") == "background")
        request = plain
        request.format = "webp"
        #expect(field(request, "core") == nil)
        #expect(field(request, "sd3.5-large") == "output_format")
        request = plain
        request.seed = 4_294_967_295
        #expect(field(request, "core") == "seed")
    }

    @Test func `an image is read, one that is held back is a refusal`() throws {
        let drawn = #"{"image":"AAAA","finish_reason":"SUCCESS","seed":343940597}"#
        #expect(try codec.decode(Array(drawn.utf8)) == ImageReply(images: [.init(.base64("AAAA"))]))
        let held = #"{"image":"AAAA","finish_reason":"CONTENT_FILTERED","seed":1}"#
        let fault = #expect(throws: UpstreamFault.self) { try codec.decode(Array(held.utf8)) }
        #expect(fault?.kind == .contentRefused)
        for body in [#"{"finish_reason":"SUCCESS"}"#, #"{"image":"AAAA","finish_reason":"ERROR"}"#, "x"] {
            #expect(throws: UpstreamFault.self) { try codec.decode(Array(body.utf8)) }
        }
    }

    @Test func `a fault says all its reasons`() {
        let body = #"{"id":"1","name":"bad_request","errors":["prompt: too long","seed: too large"]}"#
        let fault = codec.fault(status: 400, body: Array(body.utf8))
        #expect(fault.kind == .invalidRequest)
        #expect(fault.message == "prompt: too long; seed: too large")
        #expect(fault.code == "bad_request")
        let refused = #"{"id":"1","name":"content_moderation","errors":["no"]}"#
        #expect(codec.fault(status: 403, body: Array(refused.utf8)).kind == .contentRefused)
        #expect(codec.fault(status: 402, body: []).kind == .unpaid)
    }
}
