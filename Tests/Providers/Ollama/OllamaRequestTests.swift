import Base
import Chat
import JSON
import Providers
import Testing

struct OllamaRequestTests {
    private let codec = OllamaCodec()
    private let target = ChatTarget(model: "gpt-oss:20b")

    private func body(_ request: ChatRequest) throws -> JSONDocument {
        try JSONDocument(parsing: codec.encode(request, for: target).body)
    }

    private func field(_ request: ChatRequest) -> String? {
        do throws(UpstreamRequest.Unsayable) {
            _ = try codec.encode(request, for: target)
            return nil
        } catch { return error.field }
    }

    private func request(_ parts: ChatPart...) -> ChatRequest {
        ChatRequest(model: "m", messages: [ChatMessage(.user, parts)])
    }

    @Test func `nothing that Ollama has words for is lost`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var requests = SayableRequests(
            generator: SeededGenerator(seed: seed), hasTextLists: false, hasImagesByURL: false,
            seals: [ChatSeal("thinking", origin: .ollama)], callID: { index, _ in "call_\(index)" })
        for round in 0..<300 {
            let request = requests.next()
            let encoded = try codec.encode(request, for: target)
            #expect(encoded.path == "/api/chat")
            #expect(encoded.omitted.isEmpty)
            var heard = request
            heard.model = target.model
            heard.messages = request.messages.flatMap { message -> [ChatMessage] in
                switch message.role {
                case .developer: [ChatMessage(.system, message.parts)]
                case .tool: message.parts.map { ChatMessage(.tool, [$0]) }
                default: [message]
                }
            }
            let read = try OllamaRequestReading.request(encoded.body)
            #expect(read == heard, "seed \(seed), round \(round)")
        }
    }

    @Test func `an answer in one piece has to be asked for`() throws {
        #expect(try body(request(.text("hi")))["stream"]?.bool == false)
    }

    @Test func `effort is one of three levels`() throws {
        var request = request(.text("hi"))
        let levels = try ChatReasoningOptions.Effort.allCases.map { effort in
            request.reasoning = ChatReasoningOptions(.effort(effort))
            return try body(request)["think"]?.string
        }
        #expect(levels == ["low", "low", "medium", "high", "high", "high"])
    }

    @Test func `images must be there, documents of text are read out`() throws {
        let image = ChatPart(.media(ChatMedia(.image, .url("https://example.com/a.png"))))
        #expect(field(request(.text("a"), image)) == "messages[0].content[1]")
        #expect(
            field(request(ChatPart(.media(ChatMedia(.audio, .base64("AAAA")))))) == "messages[0].content[0]")
        let note = ChatPart(.media(ChatMedia(.file, .text("note"))))
        let sent = try body(request(.text("a"), note))
        #expect(sent["messages"]?.element(0)?["content"]?.string == "a\nnote")
    }

    @Test func `a model that cannot be made to call a tool is not asked to`() throws {
        var request = request(.text("hi"))
        request.tools = [ChatTool(.function(.init(name: "a", isStrict: true)))]
        request.toolChoice = .required
        #expect(field(request) == "tool_choice")
        request.toolChoice = .tool(name: "a")
        #expect(field(request) == "tool_choice")
        request.toolChoice = ChatToolChoice.none
        #expect(try body(request)["tools"] == nil)
        request.toolChoice = .auto
        #expect(
            try body(request)["tools"]?.element(0)?["function"]?["parameters"]?["type"]?.string == "object")
        #expect(try codec.encode(request, for: target).omitted == ["strict"])
        request.choiceCount = 3
        #expect(field(request) == "n")
    }

    @Test func `arguments that a model got wrong are still said`() throws {
        let call = ChatPart(.toolCall(ChatToolCall(id: "x", name: "t", arguments: "{\"a\":")))
        let sent = try body(ChatRequest(model: "m", messages: [ChatMessage(.assistant, [call])]))
        let arguments = sent["messages"]?.element(0)?["tool_calls"]?.element(0)?["function"]?["arguments"]
        #expect(arguments?["arguments"]?.string == "{\"a\":")
    }
}
