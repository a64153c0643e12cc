import Base
import Chat
import Providers

/// What holds for the stream of any provider, whatever is in it.
enum ChatStreamCheck {
    /// All that was read, and why no more.
    private struct Told: Equatable {
        var events: [ChatEvent] = []
        var fault: UpstreamFault?
    }

    /// What is read must not depend on how it arrives, what is whole has an end, and all of it can be told to clients.
    static func check(_ bytes: [UInt8], _ codec: some ChatCodec) {
        let whole = read(bytes, codec, piece: max(1, bytes.count))
        for piece in [1, 2, 3, 7] {
            precondition(read(bytes, codec, piece: piece) == whole, "in pieces the answer differs")
        }
        var assembler = ReplyAssembler()
        for event in whole.events { assembler.take(event) }
        precondition(whole.fault != nil || assembler.reply != nil, "a stream is whole that has no end")
        tell(whole, assembler.reply, by: OpenAIChatFront())
        tell(whole, assembler.reply, by: OpenAIResponsesFront())
        tell(whole, assembler.reply, by: AnthropicFront())
    }

    private static func read(_ bytes: [UInt8], _ codec: some ChatCodec, piece: Int) -> Told {
        var decoder = codec.streamDecoder()
        var told = Told()
        do throws(UpstreamFault) {
            for start in stride(from: 0, to: bytes.count, by: piece) {
                try decoder.take(Array(bytes[start..<min(bytes.count, start + piece)]), into: &told.events)
            }
            try decoder.end(into: &told.events)
        } catch {
            told.fault = error
        }
        return told
    }

    private static func tell(_ told: Told, _ reply: ChatReply?, by front: some ChatFront) {
        let context = ReplyContext(
            ChatRequest(model: "house/model", messages: []), requestID: "req_1",
            created: Timestamp(seconds: 0))
        var encoder = front.streamEncoder(context)
        var output: [UInt8] = []
        for event in told.events { encoder.encode(event, into: &output) }
        if told.fault == nil {
            encoder.end(into: &output)
            if let reply { _ = front.body(reply, context) }
        } else {
            encoder.fail(Problem(.badGateway, code: "provider_error", "it broke off"), into: &output)
        }
        precondition(!output.isEmpty, "a client hears nothing")
    }
}
