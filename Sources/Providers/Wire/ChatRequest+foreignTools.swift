package import Chat

extension ChatRequest {
    /// Without the tools that only a provider of another dialect than `dialect` runs, and what those were. An agent
    /// offers what its own provider has to whoever answers it, and most answers are as good without. Where a tool must
    /// be called and no other is there, all stay, and the request cannot be said.
    package func leavingOutForeignTools(for dialect: ChatDialect) -> (request: ChatRequest, omitted: [String])
    {
        var request = self
        var omitted: [String] = []
        request.tools.removeAll { tool in
            guard case .provided(let origin, let type, _) = tool.kind, origin != dialect else { return false }
            omitted.append("tools.\(type)")
            return true
        }
        guard request.tools.isEmpty, !omitted.isEmpty else { return (request, omitted) }
        switch toolChoice {
        case .required, .tool: return (self, [])
        case .auto, .some(.none), nil:
            request.toolChoice = nil
            return (request, omitted)
        }
    }
}
