package import Chat

extension ChatRequest {
    /// The request without what `dialect` has no words for and an answer does as well without, and what that is: tools
    /// that another provider runs, and what another provider's model has drawn.
    package func leavingOutForeign(for dialect: ChatDialect) -> (request: ChatRequest, omitted: [String]) {
        let (request, tools) = leavingOutForeignTools(for: dialect)
        let (rest, drawings) = request.leavingOutDrawings(for: dialect)
        return (rest, tools + drawings)
    }

    /// Most take images from users alone.
    private func leavingOutDrawings(for dialect: ChatDialect) -> (request: ChatRequest, omitted: [String]) {
        guard dialect != .gemini, dialect != .ollama, messages.contains(where: \.hasDrawing) else {
            return (self, [])
        }
        var request = self
        for index in request.messages.indices where request.messages[index].hasDrawing {
            request.messages[index].parts.removeAll(where: \.isImage)
        }
        request.messages.removeAll { $0.parts.isEmpty }
        return (request, ["messages.images"])
    }
}

extension ChatMessage {
    fileprivate var hasDrawing: Bool { role == .assistant && parts.contains(where: \.isImage) }
}

extension ChatPart {
    fileprivate var isImage: Bool {
        if case .media(let media) = content { media.kind == .image } else { false }
    }
}
