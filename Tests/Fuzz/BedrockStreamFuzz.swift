// fuzz-target: bedrock-stream
// fuzz-modules: Providers Chat HTTPWire JSON Base
// fuzz-with: ChatStreamCheck.swift
// fuzz-max-length: 4096
// fuzz-link: -lcrypto
import Base
import Providers

/// The fuzzer does not guess checksums, so the input is read in three ways: as it is, as the inside of one frame, and as
/// lines of an event's type and its JSON.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBedrockStream(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    ChatStreamCheck.check(bytes, BedrockCodec())
    if let first = bytes.first {
        let inside = bytes.dropFirst()
        let headers = inside.prefix(Int(first))
        ChatStreamCheck.check(frame(Array(headers), Array(inside.dropFirst(headers.count))), BedrockCodec())
    }
    let events = bytes.split(separator: 0x0A).prefix(40).flatMap { line in
        let parts = line.split(separator: 0x20, maxSplits: 1, omittingEmptySubsequences: false)
        return frame(event: Array(parts[0]), Array(parts.count > 1 ? parts[1] : []))
    }
    ChatStreamCheck.check(events, BedrockCodec())
    return 0
}

/// What begins with an exclamation mark is a fault.
private func frame(event: [UInt8], _ payload: [UInt8]) -> [UInt8] {
    let isFault = event.first == 0x21
    let name = isFault ? Array(event.dropFirst()) : event
    return frame(
        header(":message-type", Array((isFault ? "exception" : "event").utf8))
            + header(isFault ? ":exception-type" : ":event-type", name), payload)
}

private func header(_ name: String, _ value: [UInt8]) -> [UInt8] {
    let size = UInt16(value.count)
    return [UInt8(name.utf8.count)] + Array(name.utf8) + [7, UInt8(size >> 8), UInt8(size & 0xFF)] + value
}

private func frame(_ headers: [UInt8], _ payload: [UInt8]) -> [UInt8] {
    var bytes = number(UInt32(headers.count + payload.count + 16)) + number(UInt32(headers.count))
    bytes += number(CRC32.checksum(of: bytes))
    bytes += headers + payload
    return bytes + number(CRC32.checksum(of: bytes))
}

/// The greatest byte first.
private func number(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
}
