import Base
import Chat
import Providers

/// What one request for a conversation has used: what the provider says, or what we guess from what was read and said.
// Confined to its loop.
final class AttemptRecord: @unchecked Sendable {
    /// What is spoken is kept up to here to be counted.
    private static let longestSpeech = 4 * 1024 * 1024

    private var told: ChatUsage?
    private var spoken = ""
    /// What was passed on unread, and how it is read.
    private var relayed: (bytes: [UInt8], share: Double, codec: any ChatCodec)?

    /// Whether the provider has said it.
    var hasUsage: Bool { told != nil }

    func take(_ usage: ChatUsage?) {
        if let usage { told = usage }
    }

    func take(_ event: ChatEvent) {
        switch event {
        case .usage(let usage): told = usage
        case .text(let text), .refusal(let text), .reasoning(let text, _), .toolCallArguments(_, let text):
            if spoken.utf8.count < Self.longestSpeech { spoken += text }
        default: break
        }
    }

    func take(_ relay: StreamRelay, read codec: any ChatCodec) {
        take(relay.usage)
        guard relay.usage == nil, relay.passedOn > 0 else { return }
        relayed = (relay.transcript, Double(relay.transcript.count) / Double(relay.passedOn), codec)
    }

    /// `request` is what was asked; nil where it cannot be read. It is read only where the provider has said nothing.
    func usage(for request: @autoclosure () -> ChatRequest?) -> ChatUsage {
        if let told { return told }
        var output = TokenEstimate.tokens(in: spoken)
        if let relayed {
            let reading = AttemptRecord()
            var decoder = relayed.codec.streamDecoder()
            var events: [ChatEvent] = []
            // What was cut off, or is broken, counts up to there.
            do throws(UpstreamFault) { try decoder.take(relayed.bytes, into: &events) } catch {}
            for event in events { reading.take(event) }
            output += Int(Double(TokenEstimate.tokens(in: reading.spoken)) / max(0.001, relayed.share))
        }
        var usage = ChatUsage(
            input: request().map { TokenEstimate.tokens(in: $0.messages) } ?? 0, output: output)
        usage.isEstimated = true
        return usage
    }
}
