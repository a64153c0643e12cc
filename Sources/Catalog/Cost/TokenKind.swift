package import Chat

/// The kinds in which tokens are counted, each of which may have a price. No token is counted in two.
package enum TokenKind: String, CaseIterable, Sendable {
    case input
    case cacheRead = "cache_read"
    case cacheWrite = "cache_write"
    case cacheWriteHour = "cache_write_hour"
    case audioInput = "audio_input"
    case imageInput = "image_input"
    case output, reasoning
    case audioOutput = "audio_output"
    case imageOutput = "image_output"

    /// Whether it was read and not made.
    package var isRead: Bool {
        switch self {
        case .input, .cacheRead, .cacheWrite, .cacheWriteHour, .audioInput, .imageInput: true
        case .output, .reasoning, .audioOutput, .imageOutput: false
        }
    }

    package func count(in usage: ChatUsage) -> Int {
        switch self {
        case .input: usage.input
        case .cacheRead: usage.cacheRead
        case .cacheWrite: usage.cacheWrite
        case .cacheWriteHour: usage.cacheWriteHour
        case .audioInput: usage.audioInput
        case .imageInput: usage.imageInput
        case .output: usage.output
        case .reasoning: usage.reasoning
        case .audioOutput: usage.audioOutput
        case .imageOutput: usage.imageOutput
        }
    }

    package func set(_ count: Int, in usage: inout ChatUsage) {
        switch self {
        case .input: usage.input = count
        case .cacheRead: usage.cacheRead = count
        case .cacheWrite: usage.cacheWrite = count
        case .cacheWriteHour: usage.cacheWriteHour = count
        case .audioInput: usage.audioInput = count
        case .imageInput: usage.imageInput = count
        case .output: usage.output = count
        case .reasoning: usage.reasoning = count
        case .audioOutput: usage.audioOutput = count
        case .imageOutput: usage.imageOutput = count
        }
    }
}
