import Base
import Chat
import JSON
import Providers
import Testing

struct CohereRequestTests {
    private let codec = CohereCodec()
    private let target = ChatTarget(model: "command-a")

    private func body(_ request: ChatRequest) throws -> JSONDocument {
        try JSONDocument(parsing: codec.encode(request, for: target).body)
    }

    @Test func `nothing that Cohere has words for is lost`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var requests = SayableRequests(
            generator: SeededGenerator(seed: seed), hasTextLists: true,
            hasImagesByURL: true,
            seals: [ChatSeal("thinking", origin: .cohere)], callID: { "call_\($0)_\($1)" })
        for round in 0..<300 {
            var request = requests.next()
            if requests.coin() { request.reasoning = ChatReasoningOptions(.tokens(round + 1)) }
            if !request.tools.isEmpty, requests.coin() { request.toolChoice = .required }
            let encoded = try codec.encode(request, for: target)
            #expect(encoded.path == "/v2/chat")
            #expect(encoded.omitted.isEmpty)
            let read = try CohereRequestReading.request(encoded.body)
            #expect(read == Self.asHeard(request), "seed \(seed), round \(round)")
        }
    }

    /// The request in the words that Cohere has for it.
    private static func asHeard(_ request: ChatRequest) -> ChatRequest {
        var heard = request
        heard.model = "command-a"
        heard.messages = request.messages.flatMap { message -> [ChatMessage] in
            switch message.role {
            case .developer: [ChatMessage(.system, message.parts)]
            case .tool: message.parts.map { ChatMessage(.tool, [$0]) }
            default: [message]
            }
        }
        return heard
    }

    @Test func `a plan goes back to where it came from, other thoughts do not`() throws {
        let call = ChatPart(.toolCall(ChatToolCall(id: "c", name: "t", arguments: "{}")))
        let plan = ChatPart(
            .reasoning(ChatReasoning("I will look.", seal: ChatSeal("tool_plan", origin: .cohere))))
        let foreign = [
            ChatPart(.reasoning(ChatReasoning("hm"))),
            ChatPart(.reasoning(ChatReasoning("hmm", seal: ChatSeal("x", origin: .anthropic)))),
        ]
        let planned = try body(
            ChatRequest(model: "m", messages: [ChatMessage(.assistant, foreign + [plan, call])]))
        let message = planned["messages"]?.element(0)
        #expect(message?["tool_plan"]?.string == "I will look.")
        #expect(message?["content"] == nil)
        #expect(message?["tool_calls"]?.element(0)?["id"]?.string == "c")
        let spoken = try body(
            ChatRequest(model: "m", messages: [ChatMessage(.assistant, foreign + [plan, .text("hi")])]))
        #expect(spoken["messages"]?.element(0)?["tool_plan"] == nil)
        #expect(spoken["messages"]?.element(0)?["content"]?.string == "hi")
    }

    @Test func `one tool that must be called is the only one that is offered`() throws {
        var request = ChatRequest(model: "m", messages: [ChatMessage(role: .user, text: "hi")])
        request.tools = ["a", "b"].map { ChatTool(.function(.init(name: $0, isStrict: $0 == "b"))) }
        request.toolChoice = .tool(name: "b")
        let sent = try body(request)
        #expect(sent["tool_choice"]?.string == "REQUIRED")
        #expect(sent["tools"]?.count == 1)
        #expect(sent["tools"]?.element(0)?["function"]?["name"]?.string == "b")
        #expect(sent["tools"]?.element(0)?["function"]?["parameters"]?["type"]?.string == "object")
        #expect(sent["strict_tools"]?.bool == true)
        request.toolChoice = .tool(name: "c")
        #expect(throws: UpstreamRequest.Unsayable.self) { try codec.encode(request, for: target) }
    }

    @Test func `what cannot be said is refused by its name, what may be left out is named`() throws {
        var request = ChatRequest(model: "m", messages: [ChatMessage(role: .user, text: "hi")])
        request.hints.user = "u"
        request.hints.serviceTier = "flex"
        request.allowsParallelToolCalls = false
        #expect(
            try codec.encode(request, for: target).omitted == ["user", "service_tier", "parallel_tool_calls"])
        var several = request
        several.choiceCount = 2
        #expect(field(several) == "n")
        var custom = request
        custom.tools = [ChatTool(.custom(.init(name: "shell")))]
        #expect(field(custom) == "tools[0]")
        var audio = request
        audio.messages[0].parts.append(ChatPart(.media(ChatMedia(.audio, .base64("AAAA")))))
        #expect(field(audio) == "messages[0].content[1]")
        var stored = request
        stored.messages[0].parts = [ChatPart(.media(ChatMedia(.image, .file(id: "file_1"))))]
        #expect(field(stored) == "messages[0].content[0]")
    }

    private func field(_ request: ChatRequest) -> String? {
        do throws(UpstreamRequest.Unsayable) {
            _ = try codec.encode(request, for: target)
            return nil
        } catch { return error.field }
    }

    @Test func `a share of all words is as much as may be asked for, effort is a budget`() throws {
        var request = ChatRequest(model: "m", messages: [ChatMessage(role: .user, text: "hi")])
        request.sampling.topP = 1
        #expect(try body(request)["p"]?.double == 0.99)
        var last = 0
        for effort in [ChatReasoningOptions.Effort.minimal, .low, .medium] {
            request.reasoning = ChatReasoningOptions(.effort(effort))
            let budget = try #require(try body(request)["thinking"]?["token_budget"]?.int)
            #expect(budget > last)
            last = budget
        }
        request.reasoning = ChatReasoningOptions(.effort(.high))
        #expect(try body(request)["thinking"]?["type"]?.string == "enabled")
        #expect(try body(request)["thinking"]?["token_budget"] == nil)
    }
}
