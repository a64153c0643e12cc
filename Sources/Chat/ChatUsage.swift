/// How many tokens of each kind a reply took. No token is counted in two kinds.
package struct ChatUsage: Equatable, Sendable {
    /// Read afresh.
    package var input: Int
    /// Read from the provider's cache of prompts.
    package var cacheRead: Int
    /// Read afresh and kept in that cache.
    package var cacheWrite: Int
    /// Kept there for an hour, at another price.
    package var cacheWriteHour: Int
    package var audioInput: Int
    package var imageInput = 0
    /// Answered, thoughts left out.
    package var output: Int
    package var reasoning: Int
    package var audioOutput: Int
    package var imageOutput = 0
    /// Whether we guessed, because the provider did not say.
    package var isEstimated = false

    package init(
        input: Int = 0, cacheRead: Int = 0, cacheWrite: Int = 0, cacheWriteHour: Int = 0, audioInput: Int = 0,
        output: Int = 0, reasoning: Int = 0, audioOutput: Int = 0
    ) {
        self.input = input
        self.cacheRead = cacheRead
        self.cacheWrite = cacheWrite
        self.cacheWriteHour = cacheWriteHour
        self.audioInput = audioInput
        self.output = output
        self.reasoning = reasoning
        self.audioOutput = audioOutput
    }

    /// All that was read.
    package var totalInput: Int { input + cacheRead + cacheWrite + cacheWriteHour + audioInput + imageInput }
    /// All that was made.
    package var totalOutput: Int { output + reasoning + audioOutput + imageOutput }
}
