/// A price among those that a model has.
package enum PriceColumn: String, CaseIterable, Sendable {
    // For a token.
    case input, output
    case cacheRead = "cache_read"
    case cacheWrite = "cache_write"
    case cacheWriteLong = "cache_write_long"
    case reasoning
    case audioInput = "audio_input"
    case audioOutput = "audio_output"
    case imageOutput = "image_output"
    case longInput = "long_input"
    case longOutput = "long_output"
    // For one.
    case image, request, search, second, character

    /// Whether people give it for a million.
    package var isPerToken: Bool {
        switch self {
        case .image, .request, .search, .second, .character: false
        default: true
        }
    }
}

extension ModelPrice {
    /// In pico-dollars. Those of much input are there only where it is known what much is.
    package subscript(column: PriceColumn) -> Int? {
        get {
            switch column {
            case .input: input
            case .output: output
            case .cacheRead: cacheRead
            case .cacheWrite: cacheWrite
            case .cacheWriteLong: cacheWriteLong
            case .reasoning: reasoning
            case .audioInput: audioInput
            case .audioOutput: audioOutput
            case .imageOutput: imageOutput
            case .longInput: longContext?.input
            case .longOutput: longContext?.output
            case .image: image
            case .request: request
            case .search: search
            case .second: second
            case .character: character
            }
        }
        set {
            switch column {
            case .input: input = newValue
            case .output: output = newValue
            case .cacheRead: cacheRead = newValue
            case .cacheWrite: cacheWrite = newValue
            case .cacheWriteLong: cacheWriteLong = newValue
            case .reasoning: reasoning = newValue
            case .audioInput: audioInput = newValue
            case .audioOutput: audioOutput = newValue
            case .imageOutput: imageOutput = newValue
            case .longInput: longContext?.input = newValue
            case .longOutput: longContext?.output = newValue
            case .image: image = newValue
            case .request: request = newValue
            case .search: search = newValue
            case .second: second = newValue
            case .character: character = newValue
            }
        }
    }
}
