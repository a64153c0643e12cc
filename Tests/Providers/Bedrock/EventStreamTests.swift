import Base
import Foundation
import JSON
import TestKit
import Testing

@testable import Providers

/// AWS's frames: read whatever the cuts, refused where a bit is wrong.
struct EventStreamTests {
    private func frames(_ bytes: [UInt8], pieces size: Int = .max) throws -> [EventStreamFrame] {
        var parser = EventStreamParser()
        var frames: [EventStreamFrame] = []
        var start = 0
        while start < bytes.count {
            let end = size >= bytes.count - start ? bytes.count : start + size
            try parser.take(Array(bytes[start..<end])) { frame in frames.append(frame) }
            start = end
        }
        if parser.endsWithinFrame { throw UpstreamFault.garbled("cut") }
        return frames
    }

    /// A frame as AWS writes it.
    static func frame(_ headers: [(String, String)], _ payload: String) -> [UInt8] {
        var head: [UInt8] = []
        for (name, value) in headers {
            head.append(UInt8(name.utf8.count))
            head += Array(name.utf8)
            head += [7, UInt8(value.utf8.count >> 8), UInt8(value.utf8.count & 255)]
            head += Array(value.utf8)
        }
        return frame(head: head, Array(payload.utf8))
    }

    static func frame(head: [UInt8], _ payload: [UInt8]) -> [UInt8] {
        var bytes = number(UInt32(16 + head.count + payload.count)) + number(UInt32(head.count))
        bytes += number(CRC32.checksum(of: bytes)) + head + payload
        return bytes + number(CRC32.checksum(of: bytes))
    }

    static func number(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    private struct Known {
        let bytes: [UInt8]
        let headers: [String: String]
        let payload: String
    }

    private func known() throws -> [Known] {
        let file = RecordedExchange.folder.appendingPathComponent("eventstream_bedrock.json")
        let document = try JSONDocument(parsing: [UInt8](Data(contentsOf: file)))
        return try document.root.elements.map { value in
            let hex = try #require(value["hex"]?.string)
            let digits = Array(hex.utf8)
            let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
                UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
            }
            var headers: [String: String] = [:]
            for member in try #require(value["headers"]).members {
                headers[member.key.string] = member.value.string
            }
            return Known(bytes: bytes, headers: headers, payload: try #require(value["payload"]?.string))
        }
    }

    @Test(.enabled(if: RecordedExchange.areThere))
    func `frames are read as AWS wrote them, however they are cut`() throws {
        let known = try known()
        #expect(known.count >= 9)
        let all = known.flatMap(\.bytes)
        for size in [1, 7, 100, Int.max] {
            let read = try frames(all, pieces: size)
            #expect(read.map(\.headers) == known.map(\.headers))
            #expect(read.map { String(decoding: $0.payload, as: UTF8.self) } == known.map(\.payload))
        }
    }

    @Test(.enabled(if: RecordedExchange.areThere))
    func `a flipped bit anywhere in a frame is refused`() throws {
        let recording = try #require(RecordedExchange.all("amazonaws_model_x_converse_stream_200").first)
        let size = recording.responseBody[0..<4].reduce(0) { $0 << 8 | Int($1) }
        let frame = Array(recording.responseBody[..<size])
        #expect(try frames(frame).count == 1)
        for bit in 0..<frame.count * 8 {
            var bad = frame
            bad[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: UpstreamFault.self, "bit \(bit)") { try frames(bad) }
        }
    }

    @Test func `headers of all types are stepped over`() throws {
        func header(_ name: String, _ type: UInt8, _ value: [UInt8]) -> [UInt8] {
            [UInt8(name.utf8.count)] + Array(name.utf8) + [type] + value
        }
        let head =
            header("a", 0, []) + header("b", 1, []) + header("c", 2, [1]) + header("d", 3, [1, 2])
            + header("e", 4, [1, 2, 3, 4]) + header("f", 5, [UInt8](repeating: 1, count: 8))
            + header("g", 6, [0, 2, 9, 9]) + header("h", 8, [UInt8](repeating: 1, count: 8))
            + header("i", 9, [UInt8](repeating: 1, count: 16)) + header("j", 7, [0, 1, 0x78])
        let read = try frames(Self.frame(head: head, [1, 2]))
        #expect(read.first?.headers == ["j": "x"] && read.first?.payload == [1, 2])
    }

    @Test func `frames that cannot be are refused, whatever their checksums`() {
        let beyond = Self.number(UInt32(EventStreamParser.largestFrame + 1)) + Self.number(0)
        let short = Self.number(15) + Self.number(0)
        let overlong = Self.number(20) + Self.number(5)
        for prelude in [beyond, short, overlong] {
            #expect(throws: UpstreamFault.self) {
                try frames(prelude + Self.number(CRC32.checksum(of: prelude)))
            }
        }
        for head: [UInt8] in [[1, 0x61], [1, 0x61, 7, 0, 9], [1, 0x61, 10], [9, 0x61]] {
            #expect(throws: UpstreamFault.self) { try frames(Self.frame(head: head, [])) }
        }
    }
}
