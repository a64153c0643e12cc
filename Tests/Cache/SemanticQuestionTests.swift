import Base
import Cache
import Chat
import JSON
import Testing

struct SemanticQuestionTests {
    private static func question(
        _ text: String, _ dialect: ChatDialect = .openAIChat, turns: Int = 2, model: String = "m/embed",
        _ change: (inout CacheSubject) -> Void = { _ in }
    ) throws -> SemanticQuestion? {
        let document = try JSONDocument(parsing: Array(text.utf8))
        var subject = CacheSubject(
            organization: UUID(high: 1, low: 2), kind: .chat, dialect: dialect,
            request: CanonicalRequest(document, dialect), fields: [], shaping: [], models: ["openai/m@m"],
            catalogueEpoch: 7)
        change(&subject)
        return SemanticQuestion(subject, turns: turns, embeddedBy: model)
    }

    private static let talk = #"""
        {"model":"openai/m","temperature":0,"messages":[{"role":"system","content":"s"},{"role":"user","content":"one"},
        {"role":"assistant","content":"two"},{"role":"user","content":[{"type":"text","text":"three"}]}]}
        """#

    @Test func `what is said is compared by meaning, and everything else is in the frame`() throws {
        let first = try #require(try Self.question(Self.talk))
        #expect(first.text == "user: one\n\nassistant: two\n\nuser: three")
        let said = try #require(
            try Self.question(Self.talk.replacing("two", with: "2").replacing("one", with: "1")))
        #expect(said.frame == first.frame && said.text != first.text)
        let streamed = try #require(
            try Self.question(Self.talk.replacing(#""temperature""#, with: #""stream":true,"temperature""#)))
        #expect(streamed.frame == first.frame)
        let others = [
            (#""s""#, #""t""#), ("openai/m", "openai/n"), (#""temperature":0"#, #""temperature":1"#),
            (#""temperature":0"#, #""max_tokens":9"#), (#""temperature""#, #""seed":1,"temperature""#),
            (#""role":"assistant","#, #""role":"assistant","name":"x","#),
            (#"{"role":"assistant","content":"two"},"#, ""),
        ]
        for (old, new) in others {
            let other = try #require(try Self.question(Self.talk.replacing(old, with: new)), "\(new)")
            #expect(other.frame != first.frame, "\(new)")
        }
        #expect(try Self.question(Self.talk, model: "m/other")?.frame != first.frame)
        #expect(
            try Self.question(Self.talk) { $0.organization = UUID(high: 1, low: 3) }?.frame != first.frame)
        #expect(try Self.question(Self.talk) { $0.models.append("a@a") }?.frame != first.frame)
        #expect(try Self.question(Self.talk) { $0.fields = [.init("a", "b")] }?.frame != first.frame)
        #expect(try Self.question(Self.talk) { $0.catalogueEpoch = 8 }?.frame != first.frame)
        #expect(try Self.question(Self.talk) { $0.dialect = .hivegate }?.frame != first.frame)
        #expect(try Self.question(Self.talk, turns: 1) == nil)
        #expect(try Self.question(Self.talk) { $0.shaping = .validates } == nil)
        #expect(try Self.question(Self.talk) { $0.kind = .image } == nil)
    }

    @Test(arguments: [
        #""n":2"#, #""logprobs":true"#, #""modalities":["audio"]"#, #""unheard_of":1"#,
        #""response_format":{"type":"json_object"}"#, #""response_format":{"type":"json_schema"}"#,
        #""tools":[{"type":"function"}]"#, #""tool_choice":"required"#,
    ])
    func `what asks for more than one answer in words is not compared`(field: String) throws {
        let field = field.hasSuffix("required") ? field + "\"" : field
        let text = Self.talk.replacing(#""temperature":0"#, with: field)
        #expect(try Self.question(text) == nil)
    }

    @Test(arguments: [
        #"{"role":"user","content":[{"type":"image_url","image_url":{"url":"u"}}]}"#,
        #"{"role":"user","content":[{"type":"text","text":"a"},{"type":"input_audio","input_audio":{}}]}"#,
        #"{"role":"user","content":[{"type":"text","text":"a","unheard_of":1}]}"#,
        #"{"role":"user","content":""}"#, #"{"role":"user","content":null}"#, #"{"role":"user"}"#,
        #"{"role":"tool","tool_call_id":"a","content":"a"}"#, #"{"role":"unheard_of","content":"a"}"#,
        #"{"content":"a"}"#, #"{"role":"assistant","content":"a","tool_calls":[]}"#,
        #"{"role":"assistant","content":"It begins with"}"#,
    ])
    func `a conversation of more than words is not compared`(message: String) throws {
        #expect(try Self.question(#"{"model":"m","messages":[{"role":"user","content":"a"}]}"#) != nil)
        let text = #"{"model":"m","messages":[{"role":"user","content":"a"},\#(message)]}"#
        #expect(try Self.question(text, turns: 9) == nil)
    }

    @Test func `each dialect has its own places for what is said`() throws {
        let requests: [(ChatDialect, String)] = [
            (
                .anthropic,
                #"{"model":"m","max_tokens":9,"system":"s","messages":[{"role":"user","content":"TEXT"}]}"#
            ),
            (
                .anthropic,
                #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"TEXT","cache_control":{"type":"ephemeral"}}]}]}"#
            ), (.openAIResponses, #"{"model":"m","instructions":"s","input":"TEXT"}"#),
            (
                .openAIResponses,
                #"{"model":"m","text":{"verbosity":"low"},"input":[{"role":"developer","content":"s"},{"type":"message","role":"user","content":[{"type":"input_text","text":"TEXT"}]}]}"#
            ), (.hivegate, #"{"model":"m","prompt":"TEXT"}"#),
            (.hivegate, #"{"model":"m","messages":[{"role":"user","content":"TEXT"}]}"#),
        ]
        var frames: Set<CacheKey> = []
        for (dialect, text) in requests {
            let question = try #require(try Self.question(text, dialect), "\(text)")
            #expect(question.text == "user: TEXT", "\(text)")
            let other = try Self.question(text.replacing("TEXT", with: "other"), dialect)
            #expect(other?.frame == question.frame, "\(text)")
            frames.insert(question.frame)
        }
        #expect(frames.count == requests.count)
        let items = #"{"model":"m","input":[{"type":"function_call_output","call_id":"a","output":"b"}]}"#
        #expect(try Self.question(items, .openAIResponses) == nil)
        let schema = #"{"model":"m","text":{"format":{"type":"json_schema"}},"input":"a"}"#
        #expect(try Self.question(schema, .openAIResponses) == nil)
        #expect(try Self.question(#"{"model":"m","prompt":"a","schema":{}}"#, .hivegate) == nil)
        let long = String(repeating: "a", count: SemanticQuestion.longestText)
        #expect(try Self.question(#"{"model":"m","prompt":"\#(long)"}"#, .hivegate) == nil)
    }
}
