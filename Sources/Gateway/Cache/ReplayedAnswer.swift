import Base
import Cache
import Chat
import HTTPServer
import HTTPWire
import Providers

/// An answer that is kept, in the form in which a client asks for it.
struct ReplayedAnswer {
    private let contentType: String
    private let bytes: [UInt8]

    /// Throws where what is kept cannot be read.
    init(_ answer: CachedAnswer, to call: ChatCall) throws(UpstreamFault) {
        let isStreaming = call.outline.isStreaming
        switch answer.content {
        case .forwarded(let dialect, let isStream, let type, let body):
            let bytes = Array(body)
            let codec = try Self.codec(of: dialect)
            switch (isStream, isStreaming) {
            case (false, false): (contentType, self.bytes) = (type, bytes)
            case (true, true):
                contentType = ""
                self.bytes = try Self.relayed(bytes, codec, to: call)
            case (false, true):
                contentType = ""
                self.bytes = try Self.stream(try codec.decode(bytes).events, of: answer, to: call)
            case (true, false):
                contentType = Self.json
                var decoder = codec.streamDecoder()
                var events: [ChatEvent] = []
                try decoder.take(bytes, into: &events)
                try decoder.end(into: &events)
                self.bytes = try Self.whole(events, of: answer, to: call)
            }
        case .events(let events):
            contentType = isStreaming ? "" : Self.json
            bytes =
                try isStreaming
                ? Self.stream(events, of: answer, to: call) : Self.whole(events, of: answer, to: call)
        }
    }

    func send(to call: ChatCall) async throws {
        if call.outline.isStreaming { return try await call.client.end(bytes) }
        call.respond(bytes, type: contentType)
    }

    private static let json = "application/json"

    private static func codec(of dialect: ChatDialect) throws(UpstreamFault) -> any ChatCodec {
        switch dialect {
        case .openAIChat: OpenAIChatCodec()
        case .openAIResponses: OpenAIResponsesCodec()
        case .anthropic: AnthropicCodec()
        case .gemini, .cohere, .ollama, .bedrock, .sandbox, .hivegate:
            throw .garbled("no client speaks \(dialect)")
        }
    }

    private static func relayed(
        _ bytes: [UInt8], _ codec: any ChatCodec, to call: ChatCall
    ) throws(UpstreamFault) -> [UInt8] {
        var relay = StreamRelay(codec.watcher(call.outline))
        var output: [UInt8] = []
        try relay.take(bytes, into: &output)
        try relay.end(into: &output)
        return output
    }

    private static func stream(
        _ events: [ChatEvent], of answer: CachedAnswer, to call: ChatCall
    ) throws(UpstreamFault) -> [UInt8] {
        var encoder = call.front.streamEncoder(try context(of: answer, for: call))
        var output: [UInt8] = []
        for event in events { encoder.encode(event, into: &output) }
        encoder.end(into: &output)
        return output
    }

    private static func whole(
        _ events: [ChatEvent], of answer: CachedAnswer, to call: ChatCall
    ) throws(UpstreamFault) -> [UInt8] {
        var assembler = ReplyAssembler()
        for event in events { assembler.take(event) }
        guard let reply = assembler.reply else { throw .garbled("an answer without an end") }
        return call.front.body(reply, try context(of: answer, for: call))
    }

    /// Whether a provider's filter has ended it, or it cannot be read.
    static func wasFiltered(_ content: CachedAnswer.Content) -> Bool {
        // Those that are translated are looked at as they come.
        guard case .forwarded(let dialect, let isStream, _, let body) = content else { return false }
        let bytes = Array(body)
        guard bytes.contains("content_filter") || dialect == .anthropic && bytes.contains("refusal") else {
            return false
        }
        do throws(UpstreamFault) {
            let codec = try codec(of: dialect)
            if !isStream { return try codec.decode(bytes).finish.reason == .contentFilter }
            var decoder = codec.streamDecoder()
            var events: [ChatEvent] = []
            try decoder.take(bytes, into: &events)
            return events.contains { event in
                if case .finished(let finish) = event { finish.reason == .contentFilter } else { false }
            }
        } catch {
            return true
        }
    }

    private static func context(
        of answer: CachedAnswer, for call: ChatCall
    ) throws(UpstreamFault) -> ReplyContext {
        do { return try call.context(of: answer) } catch { throw .garbled("a request that cannot be read") }
    }
}
