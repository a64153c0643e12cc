package import Base
package import Chat
package import JSON

/// A request to `/v1/chat/completions`: a view over the client's bytes, with what the gateway itself needs read
/// once. Fields it does not know are left for the provider.
package struct OpenAIChatRequest: Sendable {
    package let document: JSONDocument
    package let model: String
    package let isStreaming: Bool
    /// Whether the client asked for the usage at the end of a stream.
    package let includesUsage: Bool
    package let maximumTokens: Int?
    package let seed: Int?
    package let choiceCount: Int
    package let stop: [String]
    private let messageValues: JSONValue

    /// Every fault of the request is reported at once, each with its field.
    package init(_ document: JSONDocument) throws(Problem) {
        guard document.root.kind == .object else {
            throw Problem(.invalidRequest, code: "invalid_request", "The body must be a JSON object.")
        }
        var fields = OpenAIFields(document.root)
        self.document = document
        model = fields.text("model", isRequired: true) ?? ""
        isStreaming = fields.flag("stream") ?? false
        includesUsage = fields.object("stream_options")?["include_usage"]?.bool ?? false
        let newLimit = fields.count("max_completion_tokens", from: 1)
        let oldLimit = fields.count("max_tokens", from: 1)
        maximumTokens = newLimit ?? oldLimit
        seed = fields.integer("seed")
        choiceCount = fields.count("n", from: 1) ?? 1
        stop = fields.texts("stop") ?? []
        messageValues = fields.messages() ?? document.root
        if let problem = fields.problem { throw problem }
    }

    /// The conversation's text; parts that are no text are left out.
    package var messages: [ChatMessage] {
        messageValues.elements.map { message in
            ChatMessage(
                role: message["role"]?.string.flatMap(ChatMessage.Role.init) ?? .user,
                text: Self.text(of: message["content"]))
        }
    }

    private static func text(of content: JSONValue?) -> String {
        guard let content else { return "" }
        if let text = content.string { return text }
        return content.elements.compactMap { $0["text"]?.string }.joined(separator: "\n")
    }

    /// The request with another model's name and everything else untouched.
    package func body(model: String) -> [UInt8] {
        var name = JSONWriter()
        name.value(model)
        do {
            return try document.patched([.replace(["model"], name.bytes)])
        } catch {
            preconditionFailure("the model was read from this document: \(error)")
        }
    }
}
