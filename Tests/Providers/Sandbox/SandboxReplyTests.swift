import Chat
import Providers
import Testing

struct SandboxReplyTests {
    private let hello = [
        ChatMessage(role: .system, text: "be brief"), ChatMessage(role: .user, text: "hello there"),
    ]

    @Test(arguments: SandboxModel.allCases)
    func `the same question with the same seed has the same answer, which says what it is`(
        model: SandboxModel
    ) {
        let reply = SandboxReply(of: model, to: hello, seed: 3)
        #expect(reply == SandboxReply(of: model, to: hello, seed: 3))
        #expect(reply.pieces.first == "Sandbox")
        #expect(SandboxModel(id: model.id) == model)
    }

    @Test func `echo says what was said, story depends on the prompt and the seed`() {
        #expect(SandboxReply(of: .echo, to: hello).pieces.joined() == "Sandbox echo: hello there")
        let story = SandboxReply(of: .story, to: hello, seed: 1)
        #expect(story.pieces != SandboxReply(of: .story, to: hello, seed: 2).pieces)
        #expect(
            story.pieces
                != SandboxReply(of: .story, to: [ChatMessage(role: .user, text: "hi")], seed: 1).pieces)
        #expect(story.finish == .stop)
    }

    @Test func `usage counts what was said and what was answered`() {
        let reply = SandboxReply(of: .echo, to: hello)
        #expect(reply.usage.input == TokenEstimate.tokens(in: hello))
        #expect(reply.usage.output == TokenEstimate.tokens(in: "Sandbox echo: hello there"))
    }

    @Test func `an answer ends at the token limit or before a stop sequence`() {
        let short = SandboxReply(of: .story, to: hello, maximumTokens: 5)
        #expect(short.finish == .length)
        #expect(short.usage.output <= 5)
        #expect(!short.pieces.isEmpty)
        let stopped = SandboxReply(of: .echo, to: hello, stop: ["there", " the"])
        #expect(stopped.pieces.joined() == "Sandbox echo: hello")
        #expect(stopped.finish == .stop)
    }

    @Test func `flaky does as its seed says, and without one as the prompt has it`() {
        #expect(SandboxReply(of: .flaky, to: hello, seed: 0).fault == nil)
        #expect(SandboxReply(of: .flaky, to: hello, seed: 1).fault == .beforeFirstPiece)
        let middle = SandboxReply(of: .flaky, to: hello, seed: 2)
        #expect(middle.fault == .after(middle.pieces.count / 2))
        let faults = (0..<100).map {
            SandboxReply(of: .flaky, to: [ChatMessage(role: .user, text: "\($0)")]).fault
        }
        #expect(faults.contains(nil) && faults.contains(.beforeFirstPiece))
    }
}
