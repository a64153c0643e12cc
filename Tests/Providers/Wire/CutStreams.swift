import Chat
import Testing

@testable import Providers

extension ChatCodec {
    /// Feeds a stream byte by byte and asks before each whether that was all. `endLength` is that of a mark behind the
    /// whole stream, which may be missing, as blanks may.
    func expectNoPrefixIsWhole(_ bytes: [UInt8], endLength: Int = 0) throws {
        let blanks: [UInt8] = [0x0A, 0x0D, 0x20]
        let marked = bytes.dropLast(endLength)
        let end = marked.lastIndex { !blanks.contains($0) } ?? -1
        var decoder = streamDecoder()
        var events: [ChatEvent] = []
        for (index, byte) in bytes.enumerated() {
            if index <= end {
                var cut = decoder
                var ignored: [ChatEvent] = []
                // Asked so often that an expectation each time would take most of the time.
                if (try? cut.end(into: &ignored)) != nil { Issue.record("whole before byte \(index)") }
            }
            try decoder.take([byte], into: &events)
        }
        try decoder.end(into: &events)
    }
}
