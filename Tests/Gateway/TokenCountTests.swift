import Base
import JSON
import Providers
import TestKit
import Testing

/// What a client learns of how many tokens its request has.
struct TokenCountTests {
    private static let search = #"{"type":"web_search_20250305","name":"web_search"}"#
    private static let lookUp = #"{"name":"look_up","input_schema":{"type":"object"}}"#

    /// The answer to a question with these tools, and the body that the provider was asked with.
    private func count(_ tools: String, _ more: String = "", by codec: any ChatCodec)
        async throws -> (GatewayWorld.Answer, asked: String?)
    {
        let asked = Locked<String?>(nil)
        let answered = Locked<GatewayWorld.Answer?>(nil)
        let body = #"{"inputTokens":44,"totalTokens":44}"#
        let script: GatewayWorld.Script = { peer in
            guard let head = try await peer.head() else { return }
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?
                .split(separator: " ").last
            let request = try await peer.read(length.flatMap { Int($0) } ?? 0)
            asked.withLock { $0 = String(decoding: request ?? [], as: UTF8.self) }
            try await peer.write(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        try await GatewayWorld.run(
            upstreams: ["p": script], settings: { $0.chat = codec },
            { world in
                let question =
                    #"{"model":"p/anthropic.claude","messages":[{"role":"user","content":"hi"}],"tools":[\#(tools)]\#(more)}"#
                let answer = try await world.send(
                    "POST", "/v1/messages/count_tokens", [("x-api-key", world.key())], body: question)
                answered.withLock { $0 = answer }
            })
        return (try #require(answered.withLock { $0 }), asked.withLock { $0 })
    }

    static let others: [any ChatCodec] = [BedrockCodec(), GeminiCodec()]

    @Test(arguments: [0, 1])
    func `what another provider runs is not counted, as it would not be sent`(_ index: Int) async throws {
        let (answer, asked) = try await count("\(Self.search),\(Self.lookUp)", by: Self.others[index])
        #expect(answer.status == 200)
        #expect(try JSONDocument(parsing: answer.body)["input_tokens"]?.int == 44)
        let sent = try #require(asked)
        #expect(sent.contains("look_up") && !sent.contains("web_search"))
    }

    @Test func `a tool that must be called and is not there is refused by its name`() async throws {
        let choice = #","tool_choice":{"type":"tool","name":"web_search"}"#
        let (answer, asked) = try await count(Self.search, choice, by: BedrockCodec())
        #expect(answer.status == 400 && asked == nil)
        #expect(answer.text.contains("tools[0]") && answer.text.contains("web_search_20250305"))
    }
}
