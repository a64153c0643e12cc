import Base
import Chat
import Providers

/// What one request for a conversation has used: what the provider says, or what we guess from what was read and said.
// Confined to its loop.
final class AttemptRecord: @unchecked Sendable {
    /// What is spoken is kept up to here to be counted.
    private static let longestSpeech = 4 * 1024 * 1024

    private var told: ChatUsage?
    /// Said since then: some providers say at the beginning what they have read, and only at the end what they made.
    private var untold = ""
    private var isWhole = false
    /// What was passed on unread, and how it is read.
    private var relayed: (bytes: [UInt8], share: Double, codec: any ChatCodec)?

    /// Whether the provider has said it.
    var hasUsage: Bool { told != nil }

    func take(_ usage: ChatUsage?) {
        guard let usage, usage != told else { return }
        told = usage
        untold = ""
    }

    func take(_ event: ChatEvent) {
        switch event {
        case .usage(let usage): take(usage)
        case .text(let text), .refusal(let text), .reasoning(let text, _), .toolCallArguments(_, let text):
            if untold.utf8.count < Self.longestSpeech { untold += text }
        case .finished: isWhole = true
        default: break
        }
    }

    func take(_ relay: StreamRelay, read codec: any ChatCodec) {
        take(relay.usage)
        isWhole = relay.isWhole
        guard told == nil || !isWhole, relay.passedOn > 0 else { return }
        relayed = (relay.transcript, Double(relay.transcript.count) / Double(relay.passedOn), codec)
    }

    /// `request` is what was asked; nil where it cannot be read. It is read only where the provider has said nothing.
    func usage(for request: @autoclosure () -> ChatRequest?) -> ChatUsage {
        let more = told != nil && isWhole ? 0 : TokenEstimate.tokens(in: untold) + relayedTokens
        if let told, more == 0 { return told }
        var usage = told ?? ChatUsage(input: request().map { TokenEstimate.tokens(in: $0.messages) } ?? 0)
        usage.output += more
        usage.isEstimated = true
        return usage
    }

    /// A guess at what was passed on since the provider last said what it took.
    private var relayedTokens: Int {
        guard let relayed else { return 0 }
        let reading = AttemptRecord()
        var decoder = relayed.codec.streamDecoder()
        var events: [ChatEvent] = []
        // What was cut off, or is broken, counts up to there.
        do throws(UpstreamFault) { try decoder.take(relayed.bytes, into: &events) } catch {}
        for event in events { reading.take(event) }
        // What came behind all that was kept speaks for that too.
        guard reading.told == told else { return 0 }
        return Int(Double(TokenEstimate.tokens(in: reading.untold)) / max(0.001, relayed.share))
    }
}
