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
            0,
            Self.count("AUDIO", usage["promptTokensDetails"])
                - Self.count("AUDIO", usage["cacheTokensDetails"]))
        let spoken = Self.count("AUDIO", usage["candidatesTokensDetails"])
        let drawn = Self.count("IMAGE", usage["candidatesTokensDetails"])
        self.init(
            input: max(0, prompt - cached - heard) + (usage["toolUsePromptTokenCount"]?.int ?? 0),
            cacheRead: cached, audioInput: heard, output: max(0, made - spoken - drawn),
            reasoning: usage["thoughtsTokenCount"]?.int ?? 0, audioOutput: spoken)
        imageOutput = drawn
    }

    private static func count(_ modality: String, _ details: JSONValue?) -> Int {
        guard let details else { return 0 }
        return details.elements.reduce(0) { sum, detail in
            guard detail["modality"]?.string == modality else { return sum }
            return sum + (detail["tokenCount"]?.int ?? 0)
        }
    }
}
