import Base
import Chat
import JSON
import Testing

@testable import Providers

/// Azure at its older addresses: the deployment and the version are in the path, and nothing else differs.
struct DeploymentTests {
    private static func settings(_ version: String?) throws -> Upstream.Settings {
        let azure = try #require(ProviderPreset.named("azure"))
        let (preset, baseURL) = azure.behind(
            endpoint: "https://contoso.openai.azure.com/",
            deployments: version.flatMap { DeploymentAddress(version: $0) })
        return try Upstream.Settings(preset, baseURL: baseURL, keys: [Secret("k")])
    }

    @Test func `without a version the addresses are OpenAI's`() throws {
        let settings = try Self.settings(nil)
        #expect(settings.baseURL == "https://contoso.openai.azure.com/openai/v1")
        #expect(settings.responses != nil && settings.modelsPath == "/models")
        let request = ChatRequest(model: "x", messages: [ChatMessage(role: .user, text: "hi")])
        let sent = try #require(settings.chat).encode(request, for: ChatTarget(model: "m"))
        #expect(sent.path == "/chat/completions")
    }

    @Test func `what is translated and what is passed on goes to the deployment, and the rest stays`() throws
    {
        let settings = try Self.settings("2024-10-21")
        #expect(settings.baseURL == "https://contoso.openai.azure.com/openai")
        // Its list would name models, not deployments; early versions have no responses.
        #expect(settings.responses == nil && settings.modelsPath == nil)
        let target = ChatTarget(model: "team gpt/4")
        let place = "/deployments/team%20gpt%2F4"
        let chat = try #require(settings.chat)
        let plain = OpenAIChatCodec(.openAI)
        let request = ChatRequest(model: "x", messages: [ChatMessage(role: .user, text: "hi")])
        let sent = try chat.encode(request, for: target)
        #expect(sent.path == "\(place)/chat/completions?api-version=2024-10-21")
        #expect(sent.body == (try plain.encode(request, for: target).body))
        let document = try JSONDocument(parsing: Array(#"{"model":"x","messages":[],"vendor":1.0}"#.utf8))
        let outline = ChatOutline(model: "x", isStreaming: false)
        let passed = try #require(chat.forward(document, outline, for: target))
        #expect(passed.path == sent.path)
        #expect(passed.body == plain.forward(document, outline, for: target)?.body)
        #expect(chat.codec(for: target, answering: request) is DeploymentChatCodec)
        let vectors = try #require(settings.embeddings)
            .encode(EmbeddingRequest(model: "x", inputs: [.text("a")]), model: "v")
        #expect(vectors.path == "/deployments/v/embeddings?api-version=2024-10-21")
        let images = try #require(settings.images).encode(
            ImageRequest(model: "x", prompt: "a lighthouse"), model: "i")
        #expect(images.path == "/deployments/i/images/generations?api-version=2024-10-21")
    }

    @Test(arguments: [".", ".."]) func `a name that would lead elsewhere is none of a deployment`(
        name: String
    )
        throws
    {
        let chat = try #require(try Self.settings("2024-10-21").chat)
        let request = ChatRequest(model: "x", messages: [ChatMessage(role: .user, text: "hi")])
        let document = try JSONDocument(parsing: Array(#"{"model":"x","messages":[]}"#.utf8))
        #expect(
            chat.forward(document, ChatOutline(model: "x", isStreaming: false), for: ChatTarget(model: name))
                == nil)
        #expect(throws: UpstreamRequest.Unsayable.self) {
            try chat.encode(request, for: ChatTarget(model: name))
        }
    }

    @Test(arguments: ["", "2024&x=1", "a b", "2024/10", "ä", String(repeating: "1", count: 65)])
    func `a version cannot be more than one`(text: String) {
        #expect(DeploymentAddress(version: text) == nil)
    }
}
