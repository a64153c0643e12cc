import Chat
import Testing

struct TokenEstimateTests {
    @Test(arguments: [
        ("", 0), ("hello", 1), ("hello world", 2), ("internationalization", 4), ("12345", 2), ("a,b", 3),
        ("   x", 2), ("你好", 2), ("Привет", 2),
    ])
    func `a text is guessed from the classes of its characters`(text: String, tokens: Int) {
        #expect(TokenEstimate.tokens(in: text) == tokens)
    }

    @Test func `each message costs its frame, and the request once more`() {
        let messages = [ChatMessage(role: .system, text: "hello"), ChatMessage(role: .user, text: "world")]
        #expect(TokenEstimate.tokens(in: messages) == 3 + 4 + 1 + 4 + 1)
    }
}
