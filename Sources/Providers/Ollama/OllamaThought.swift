import Chat

/// Thoughts that a model of Ollama's had. They are not signed; the seal says where they came from, so that they go
/// back there and that no other thought is taken for one of theirs.
enum OllamaThought {
    static let seal = ChatSeal("thinking", origin: .ollama)
}
