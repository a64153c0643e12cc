import Chat
import HTTPWire

/// A model on Bedrock, as far as its family makes a difference.
struct BedrockModel: Sendable {
    let id: String
    let family: Family

    enum Family: Sendable { case anthropic, nova, openAI, other }

    /// A profile's name may hide whose model it is, and so it can be said.
    init(_ id: String, isAnthropic: Bool?) {
        self.id = id
        let name = id.lowercased()
        if isAnthropic ?? (name.contains("anthropic.") || name.contains("claude")) {
            family = .anthropic
        } else if name.contains("amazon.nova") {
            family = .nova
        } else {
            family = name.contains("openai.") ? .openAI : .other
        }
    }

    func path(_ operation: String) -> String { "/model/\(PercentCoding.encode(id))/\(operation)" }

    /// Tokens are counted by models, not by the profiles that spread their load over regions.
    var withoutRegion: String {
        let regions = ["us", "us-gov", "eu", "apac", "jp", "au", "ca", "sa", "global"]
        guard let dot = id.firstIndex(of: "."), regions.contains(String(id[..<dot])) else { return id }
        return String(id[id.index(after: dot)...])
    }

    /// Whose seals it can read. Anthropic's models read those of Anthropic wherever they run.
    var sealOrigin: ChatDialect { family == .anthropic ? .anthropic : .bedrock }

    var canCache: Bool { family == .anthropic || family == .nova }
    /// Whether it is told that a tool has failed.
    var knowsFailure: Bool { family == .anthropic || family == .nova }
}
