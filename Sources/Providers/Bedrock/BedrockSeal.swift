import Base
import Chat

/// Seals as Bedrock carries them.
enum BedrockSeal {
    /// What stands for a thought: bytes in base64, which for Anthropic's models are the text that Anthropic itself
    /// would send.
    static func redacted(_ content: [UInt8], origin: ChatDialect) -> ChatSeal {
        if origin == .anthropic, let text = String(validating: content, as: UTF8.self) {
            return ChatSeal(text, origin: .anthropic, replacesText: true)
        }
        return ChatSeal(Base64.encode(content), origin: .bedrock, replacesText: true)
    }

    /// What vouches for a thought; nil where it is empty.
    static func signature(_ text: String?, origin: ChatDialect) -> ChatSeal? {
        text.flatMap { $0.isEmpty ? nil : ChatSeal($0, origin: origin) }
    }

    /// A seal that stands for a thought, as it was.
    static func content(of seal: ChatSeal) -> String {
        seal.origin == .anthropic ? Base64.encode(seal.data.utf8) : seal.data
    }

    static func bytes(ofBase64 text: String) throws(UpstreamFault) -> [UInt8] {
        guard let bytes = Base64.decode(text) else { throw .garbled("redactedContent is no base64") }
        return bytes
    }
}
