import Chat

@testable import Providers

extension ChatCodec {
    /// The reply that a stream adds up to, fed in pieces of `size` bytes.
    func decodeStream(_ bytes: [UInt8], pieces size: Int = .max) throws -> ChatReply? {
        var assembler = ReplyAssembler()
        for event in try events(of: bytes, pieces: size) { assembler.take(event) }
        return assembler.reply
    }

    func events(of bytes: [UInt8], pieces size: Int = .max) throws -> [ChatEvent] {
        var decoder = streamDecoder()
        var events: [ChatEvent] = []
        var start = 0
        while start < bytes.count {
            let end = size >= bytes.count - start ? bytes.count : start + size
            try decoder.take(Array(bytes[start..<end]), into: &events)
            start = end
        }
        try decoder.end(into: &events)
        return events
    }
}
