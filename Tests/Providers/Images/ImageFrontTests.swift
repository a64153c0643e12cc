import Base
import Chat
import Foundation
import JSON
import Providers
import Testing

struct ImageFrontTests {
    private let front = OpenAIImageFront()

    private func fault(_ text: String) throws -> Problem? {
        let document = try JSONDocument(parsing: Array(text.utf8))
        do throws(Problem) {
            _ = try front.request(document)
            return nil
        } catch { return error }
    }

    @Test func `what a client asks is what OpenAI is asked`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            var asked: [String: Any] = ["model": "dall-e-3", "prompt": "a \"fox\"\n🦊", "n": 1]
            let choices: [(String, [Any])] = [
                ("n", [1, 2, 10]), ("size", ["auto", "1024x1536", "1x1"]), ("quality", ["hd", "low"]),
                ("background", ["auto", "opaque", "transparent"]), ("style", ["vivid"]),
                ("output_format", ["png", "webp"]), ("output_compression", [0, 100]),
                ("response_format", ["url", "b64_json"]), ("moderation", ["low"]), ("user", ["u"]),
            ]
            for (name, values) in choices where Bool.random(using: &generator) {
                asked[name] = values.randomElement(using: &generator)
            }
            let body = try [UInt8](JSONSerialization.data(withJSONObject: asked))
            let request = try front.request(JSONDocument(parsing: body))
            let written = try OpenAIImageCodec().encode(request, model: request.model)
            let asking = try JSONSerialization.jsonObject(with: Data(written.body)) as? NSDictionary
            #expect(asking == asked as NSDictionary, "seed \(seed)")
            #expect(written.path == "/images/generations" && written.omitted.isEmpty)
        }
    }

    @Test(arguments: [
        (#"{"model":"m"}"#, "prompt"), (#"{"prompt":"p"}"#, "model"),
        (#"{"model":"m","prompt":"p","n":0}"#, "n"), (#"{"model":"m","prompt":"p","n":11}"#, "n"),
        (#"{"model":"m","prompt":"p","size":"big"}"#, "size"),
        (#"{"model":"m","prompt":"p","size":"10x"}"#, "size"),
        (#"{"model":"m","prompt":"p","size":"0x10"}"#, "size"),
        (#"{"model":"m","prompt":"p","size":"1x2x3"}"#, "size"),
        (#"{"model":"m","prompt":"p","response_format":"file"}"#, "response_format"),
        (#"{"model":"m","prompt":"p","background":"pink"}"#, "background"),
        (#"{"model":"m","prompt":"p","output_compression":101}"#, "output_compression"),
        (#"{"model":"m","prompt":"p","stream":true}"#, "stream"),
    ])
    func `what is wrong is named`(text: String, field: String) throws {
        #expect(try fault(text)?.field == field)
    }

    @Test func `models that always give the image itself are not told how`() throws {
        var request = ImageRequest(model: "m", prompt: "p")
        request.delivery = .url
        let body = try OpenAIImageCodec().encode(request, model: "gpt-image-1").body
        #expect(try JSONDocument(parsing: body)["response_format"] == nil)
    }

    @Test func `what OpenAI answers is what the client is told`() throws {
        let answer = #"""
            {"created":1700000000,"output_format":"webp","data":[{"b64_json":"AAAA","revised_prompt":"a red fox"},
            {"url":"https://example.com/1.webp"}],"usage":{"input_tokens":50,"output_tokens":4160,
            "total_tokens":4210,"input_tokens_details":{"text_tokens":10,"image_tokens":40}}}
            """#
        let reply = try OpenAIImageCodec().decode(Array(answer.utf8))
        #expect(reply.usage == ImageReply.Usage(textInput: 10, imageInput: 40, output: 4160))
        let request = ImageRequest(model: "m", prompt: "p")
        let body = front.body(reply, to: request, created: Timestamp(seconds: 1_700_000_000))
        let told = try JSONDocument(parsing: body).root
        #expect(try told == JSONDocument(parsing: Array(answer.utf8)).root)
    }

    @Test func `a client that wants an address gets one, which holds the image`() throws {
        var request = ImageRequest(model: "m", prompt: "p")
        request.delivery = .url
        let reply = ImageReply(images: [.init(.base64("AAAA"))], format: "jpeg")
        let told = try JSONDocument(
            parsing: front.body(reply, to: request, created: Timestamp(seconds: 1)))
        #expect(told["data"]?.element(0)?["url"]?.string == "data:image/jpeg;base64,AAAA")
    }

    @Test(arguments: [#"{"data":[]}"#, #"{"data":[{}]}"#, #"{"data":[{"url":null}]}"#, "{}", "no"])
    func `an answer without images is none`(body: String) {
        #expect(throws: UpstreamFault.self) { try OpenAIImageCodec().decode(Array(body.utf8)) }
    }

    @Test func `a prompt that is refused is known as that`() {
        let body =
            #"{"error":{"code":"moderation_blocked","message":"no","type":"image_generation_user_error"}}"#
        let fault = OpenAIImageCodec().fault(status: 400, body: Array(body.utf8))
        #expect(fault.kind == .contentRefused)
        #expect(fault.message == "no")
    }
}
