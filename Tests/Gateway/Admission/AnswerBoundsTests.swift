import Chat
import JSON
import Providers
import Testing

@testable import Gateway

/// What bounds the cost of a request, read without the rest of it where that is safe.
struct AnswerBoundsTests {
    /// A client's dialect, and how a conversation is said in it.
    private struct Dialect: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var front: any ChatFront
        /// With `said` as the conversation and `more` behind it.
        var request: @Sendable (_ said: String, _ more: String) -> String
        var words: [String]
        /// Places where something is that is no text.
        var media: [String]

        func document(_ said: String, _ more: String = "") throws -> JSONDocument {
            try JSONDocument(parsing: Array(request(said, more).utf8))
        }
    }

    private static let pixel = "data:image/png;base64,AAAA"

    private static let openAIWords = [
        #"[{"role":"user","content":"hi"}]"#,
        #"[{"role":"system","content":"be brief"},{"role":"user","content":[{"type":"text","text":"hi"}]}]"#,
        #"[{"role":"user","content":"image audio file"},{"role":"assistant","content":null,"#
            + #""tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},"#
            + #"{"role":"tool","tool_call_id":"1","content":"7"}]"#,
    ]

    private static let openAIMedia = [
        #"[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"\#(pixel)"}}]}]"#,
        #"[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}]"#,
        #"[{"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]},{"role":"user","content":"hi"}]"#,
        #"[{"role":"assistant","content":"so","images":[{"type":"image_url","image_url":{"url":"\#(pixel)"}}]},"#
            + #"{"role":"user","content":"hi"}]"#,
        #"[{"role":"tool","tool_call_id":"1","content":[{"type":"image_url","image_url":{"url":"\#(pixel)"}}]}]"#,
    ]

    private static let openAI = Dialect(
        testDescription: "OpenAI", front: OpenAIChatFront(),
        request: { #"{"model":"m","messages":\#($0)\#($1)}"# }, words: openAIWords, media: openAIMedia)

    private static let generate = Dialect(
        testDescription: "Hivegate", front: GenerateFront(),
        request: { #"{"model":"m","messages":\#($0)\#($1)}"# },
        words: Array(openAIWords.prefix(2)), media: Array(openAIMedia.prefix(1)))

    private static let responses = Dialect(
        testDescription: "Responses", front: OpenAIResponsesFront(),
        request: { #"{"model":"m","input":\#($0)\#($1)}"# },
        words: [
            #""hi""#, #"[{"role":"user","content":"hi"}]"#,
            #"[{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]},"#
                + #"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"so"}]}]"#,
        ],
        media: [
            #"[{"role":"user","content":[{"type":"input_image","image_url":"\#(pixel)"}]}]"#,
            #"[{"role":"user","content":"a"},{"type":"function_call","call_id":"1","name":"f","arguments":"{}"},"#
                + #"{"type":"function_call_output","call_id":"1","output":[{"type":"input_image","image_url":"\#(pixel)"}]}]"#,
            #"[{"type":"image_generation_call","id":"ig_hivegate_1","status":"completed","result":"AAAA"},"#
                + #"{"role":"user","content":"again"}]"#,
        ])

    private static let anthropicImage =
        #"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}"#

    private static let anthropic = Dialect(
        testDescription: "Anthropic", front: AnthropicFront(),
        request: { #"{"model":"m","messages":\#($0)\#($1)}"# },
        words: [
            #"[{"role":"user","content":"hi"}],"system":"be brief""#,
            #"[{"role":"user","content":[{"type":"text","text":"hi"}]}],"system":[{"type":"text","text":"brief"}]"#,
        ],
        media: [
            #"[{"role":"user","content":[\#(anthropicImage)]}]"#,
            #"[{"role":"user","content":"a"},{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","#
                + #""content":[\#(anthropicImage)]}]}]"#,
            #"[{"role":"user","content":[{"type":"document","source":{"type":"url","url":"http://a/b.pdf"}}]}]"#,
        ])

    private static let dialects = [openAI, generate, responses, anthropic]

    @Test(arguments: dialects)
    private func `of words alone the bounds are the same as of the whole request`(_ dialect: Dialect) throws {
        let limits = dialect.front.answerLimitFields.map { #","\#($0)":77"# }
        let choices = dialect.front is OpenAIChatFront ? [#","n":3"#, #","n":null"#] : []
        let none = dialect.front is AnthropicFront ? [] : ["", #","temperature":0.5"#]
        for words in dialect.words {
            for more in limits + choices + none {
                let document = try dialect.document(words, more)
                let bounds = try #require(dialect.front.boundsOfText(document), "\(words)\(more)")
                let request = try dialect.front.request(document)
                #expect(bounds == AnswerBounds(request) && request.media.isEmpty, "\(words)\(more)")
                #expect((bounds.maximumTokens == 77) == limits.contains(more))
                #expect(bounds.choiceCount == (more.contains(":3") ? 3 : 1))
            }
        }
    }

    @Test(arguments: dialects)
    private func `what is no text is never overlooked`(_ dialect: Dialect) throws {
        for media in dialect.media {
            let document = try dialect.document(media, #","\#(dialect.front.answerLimitFields[0])":9"#)
            #expect(try !dialect.front.request(document).media.isEmpty, "\(media)")
            #expect(dialect.front.boundsOfText(document) == nil, "\(media)")
        }
    }

    /// Then the whole request is read, which says so.
    @Test(arguments: dialects)
    private func `a limit that is none bounds nothing`(_ dialect: Dialect) throws {
        for field in dialect.front.answerLimitFields {
            for limit in [#""7""#, "-1", "1.5", "[]"] {
                let document = try dialect.document(dialect.words[0], #","\#(field)":\#(limit)"#)
                #expect(dialect.front.boundsOfText(document) == nil, "\(field): \(limit)")
            }
        }
    }
}
