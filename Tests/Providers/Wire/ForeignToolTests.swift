import Chat
import JSON
import Providers
import Testing

struct ForeignToolTests {
    private static let search = ChatTool(
        .provided(.openAIResponses, type: "web_search", try! JSONDocument(parsing: Array("{}".utf8)).root))
    private static let lookUp = ChatTool(.function(ChatTool.Function(name: "look_up")))

    private func request(_ tools: [ChatTool], _ choice: ChatToolChoice? = nil) -> ChatRequest {
        var request = ChatRequest(model: "m", messages: [])
        request.tools = tools
        request.toolChoice = choice
        return request
    }

    @Test func `what another provider runs is left out by name, and the rest stays`() {
        let (left, omitted) = request([Self.search, Self.lookUp], .required)
            .leavingOutForeignTools(for: .anthropic)
        #expect(left.tools == [Self.lookUp] && left.toolChoice == .required)
        #expect(omitted == ["tools.web_search"])
    }

    @Test func `the provider's own tools stay`() {
        let (left, omitted) = request([Self.search]).leavingOutForeignTools(for: .openAIResponses)
        #expect(left.tools == [Self.search] && omitted.isEmpty)
    }

    @Test(arguments: [ChatToolChoice.auto, ChatToolChoice.none, nil])
    func `where no tool is left there is none to choose`(choice: ChatToolChoice?) {
        let (left, omitted) = request([Self.search], choice).leavingOutForeignTools(for: .gemini)
        #expect(left.tools.isEmpty && left.toolChoice == nil)
        #expect(omitted == ["tools.web_search"])
    }

    @Test(arguments: [ChatToolChoice.required, .tool(name: "web_search")])
    func `a call that must be made of nothing is left for the provider's dialect to refuse`(
        choice: ChatToolChoice
    ) {
        let (left, omitted) = request([Self.search], choice).leavingOutForeignTools(for: .gemini)
        #expect(left.tools == [Self.search] && left.toolChoice == choice && omitted.isEmpty)
    }
}
