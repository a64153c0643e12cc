import Chat
import JSON

extension ChatUsage {
    /// nil where the provider does not say.
    init?(gemini usage: JSONValue?) {
        guard let usage = usage.present, let prompt = usage["promptTokenCount"]?.int else { return nil }
        let cached = usage["cachedContentTokenCount"]?.int ?? 0
        let made = usage["candidatesTokenCount"]?.int ?? 0
        // What is cached is counted as cached, whatever it is.
        let heard = max(
            0, Self.audio(usage["promptTokensDetails"]) - Self.audio(usage["cacheTokensDetails"]))
        let spoken = Self.audio(usage["candidatesTokensDetails"])
        self.init(
            input: max(0, prompt - cached - heard) + (usage["toolUsePromptTokenCount"]?.int ?? 0),
            cacheRead: cached, audioInput: heard, output: max(0, made - spoken),
            reasoning: usage["thoughtsTokenCount"]?.int ?? 0, audioOutput: spoken)
    }

    private static func audio(_ details: JSONValue?) -> Int {
        guard let details else { return 0 }
        return details.elements.reduce(0) { sum, detail in
            guard detail["modality"]?.stringEquals("AUDIO") ?? false else { return sum }
            return sum + (detail["tokenCount"]?.int ?? 0)
        }
    }
}
