import JSON

/// What Ollama says instead of an answer: `{"error": "…"}`, also as a line of a stream.
enum OllamaFault {
    static func read(status: Int, body: [UInt8]) -> UpstreamFault {
        let document = try? JSONDocument(parsing: body)
        let message = document.flatMap { words(of: $0.root) }
        var kind = UpstreamFault.kind(ofStatus: status)
        if let message, status == 400 || status == 500, isAboutLength(message) { kind = .contextTooLong }
        return UpstreamFault(
            kind, status: status, message ?? "The provider answered \(status) and did not say why.")
    }

    /// In the middle of a stream, where there is no status.
    static func read(line: JSONValue) -> UpstreamFault? {
        guard let message = words(of: line) else { return nil }
        return UpstreamFault(isAboutLength(message) ? .contextTooLong : .failed, message)
    }

    private static func words(of root: JSONValue) -> String? {
        guard let error = root["error"].present else { return nil }
        return error.string ?? error["message"]?.string ?? "The provider failed and did not say why."
    }

    private static func isAboutLength(_ message: String) -> Bool {
        let message = message.lowercased()
        return message.contains("context length") || message.contains("context size")
    }
}
