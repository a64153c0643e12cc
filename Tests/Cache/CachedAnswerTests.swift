import Base
import Chat
import JSON
import Testing

@testable import Cache

struct CachedAnswerTests {
    private func forwarded(_ bytes: [UInt8]) -> CachedAnswer {
        CachedAnswer(
            .forwarded(.openAIChat, isStream: true, contentType: "text/event-stream", bytes[...]),
            origin: CacheWorld.origin, storedAt: Timestamp(seconds: 1_800_000_000), lifetimeSeconds: 3600,
            provider: "openai", model: "openai/gpt-5", upstreamModel: "gpt-5",
            usage: ChatUsage(input: 3, output: 4), costNanodollars: 12_345)
    }

    private func events(_ events: [ChatEvent]) -> CachedAnswer {
        var answer = forwarded([])
        answer.content = .events(events)
        return answer
    }

    @Test func `what was stored is what is read`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = RandomAnswer(seed: seed)
        for round in 0..<2000 {
            let answer = try random.answer()
            let bytes = answer.encoded()
            let read = try #require(CachedAnswer(decoding: bytes), "seed \(seed), round \(round)")
            #expect(read == answer, "seed \(seed), round \(round)")
            // Texts are equal in Swift that differ in bytes; what is written of them does, too.
            #expect(read.encoded() == bytes, "seed \(seed), round \(round)")
        }
    }

    @Test func `every kind of event is kept, with all that it says`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = RandomAnswer(seed: seed)
        for number in 0..<RandomAnswer.eventCount {
            for _ in 0..<50 {
                let event = try random.event(number)
                #expect(RandomAnswer.number(of: event) == number)
                let read = CachedAnswer(decoding: events([event]).encoded())
                #expect(read?.content == .events([event]), "seed \(seed)")
            }
        }
    }

    @Test func `the pieces of a text stay apart, and opaque values stay as they were written`() throws {
        let written = #"{ "b" : 1.0, "a":"\u00e9" }"#
        let value = try JSONDocument(parsing: Array(written.utf8)).root
        let said: [ChatEvent] = [
            .text("He"), .text(""), .text("llo"), .opaque(.anthropic, type: "server_tool_use", value),
        ]
        let read = try #require(CachedAnswer(decoding: events(said).encoded()))
        guard case .events(let events) = read.content, case .opaque(_, _, let opaque) = events[3] else {
            Issue.record("other events were read: \(read)")
            return
        }
        #expect(Array(events[..<3]) == Array(said[..<3]))
        #expect(String(decoding: opaque.bytes, as: UTF8.self) == written)
    }

    @Test func `every number of the usage is kept`() throws {
        var random = RandomAnswer(seed: 5)
        let labels = Mirror(reflecting: random.usage()).children.count
        // Written one by one: see EntryWriter and EntryReader.
        #expect(labels == 11)
        for _ in 0..<200 {
            let usage = random.usage()
            #expect(
                CachedAnswer(decoding: events([.usage(usage)]).encoded())?.content == .events([.usage(usage)])
            )
        }
    }

    @Test func `a large answer is kept small`() throws {
        let line = Array(#"data: {"choices":[{"delta":{"content":"word"},"index":0}]}\#n\#n"#.utf8)
        let answer = forwarded((0..<1000).flatMap { _ in line })
        #expect(answer.encoded().count < 2000)
        #expect(CachedAnswer(decoding: answer.encoded()) == answer)
        let text = events((0..<2000).map { .text("word \($0 % 7) ") })
        #expect(text.encoded().count < 4000)
        #expect(CachedAnswer(decoding: text.encoded()) == text)
    }

    @Test func `an answer knows how old it is, whatever was done to the clock`() {
        let answer = forwarded([])
        #expect(answer.keeping.age(at: Timestamp(seconds: 1_800_000_060)) == .seconds(60))
        #expect(answer.keeping.age(at: Timestamp(seconds: 1_700_000_000)) == .zero)
    }

    // MARK: What is not an answer

    private var samples: [[UInt8]] {
        get throws {
            var random = RandomAnswer(seed: 77)
            let line = Array(#"data: {"choices":[{"delta":{"content":"word"}}]}\#n\#n"#.utf8)
            return [
                forwarded(Array("{}".utf8)).encoded(),
                forwarded((0..<80).flatMap { _ in line }).encoded(),
                events(try (0..<RandomAnswer.eventCount).map { try random.event($0) }).encoded(),
            ]
        }
    }

    @Test func `an entry in which any byte was changed is none`() throws {
        for sample in try samples {
            #expect(CachedAnswer(decoding: sample) != nil)
            for index in sample.indices {
                for bit in 0..<8 {
                    var changed = sample
                    changed[index] ^= 1 << bit
                    #expect(CachedAnswer(decoding: changed) == nil, "byte \(index), bit \(bit)")
                }
            }
        }
    }

    @Test func `an entry that was cut off, or goes on, is none`() throws {
        for sample in try samples {
            for count in 0..<sample.count {
                #expect(CachedAnswer(decoding: Array(sample[..<count])) == nil, "\(count) bytes")
                // Also where the checksum is right.
                #expect(CachedAnswer(decoding: sealed(Array(sample[..<count]))) == nil, "\(count) bytes")
            }
            #expect(CachedAnswer(decoding: sample + [0]) == nil)
            #expect(CachedAnswer(decoding: sealed(sample + [0])) == nil)
            #expect(CachedAnswer(decoding: sealed(sample + sample)) == nil)
        }
    }

    /// With the checksum that belongs to it: what comes behind the checksum must hold by itself.
    private func sealed(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count > 9 else { return bytes }
        var bytes = bytes
        bytes.withUnsafeMutableBytes { bytes in
            let checksum = XXHash64.hash(of: UnsafeRawBufferPointer(rebasing: bytes[9...]))
            bytes.storeBytes(of: checksum.littleEndian, toByteOffset: 1, as: UInt64.self)
        }
        return bytes
    }

    @Test func `hostile bytes are refused or read, and harm nobody`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        let samples = try samples
        for _ in 0..<30_000 {
            var bytes = samples[Int(random.next() % 3)]
            for _ in 0...random.next() % 4 {
                let index = 5 + Int(random.next() % UInt64(bytes.count - 5))
                bytes[index] = UInt8(truncatingIfNeeded: random.next())
            }
            // What is read is an answer like any other.
            if let answer = CachedAnswer(decoding: sealed(bytes)) {
                #expect(CachedAnswer(decoding: answer.encoded()) == answer, "seed \(seed)")
            }
        }
        for _ in 0..<20_000 {
            let count = Int(random.next() % 200)
            let noise = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            #expect(CachedAnswer(decoding: noise) == nil, "seed \(seed)")
            _ = CachedAnswer(decoding: sealed([3] + [UInt8](repeating: 0, count: 8) + noise))
        }
    }

    @Test func `an entry of another version is none`() throws {
        for version in UInt8(0)...255 where version != 3 {
            var bytes = try samples[0]
            bytes[0] = version
            #expect(CachedAnswer(decoding: bytes) == nil)
        }
    }

    @Test func `an entry that claims to be larger than it can be is refused before memory is taken for it`()
        throws
    {
        let body = [UInt8](repeating: 7, count: 1 << 20)
        let sample = forwarded(body).encoded()
        #expect(sample.count < 300)
        #expect(CachedAnswer(decoding: sample)?.content == forwarded(body).content)
        // The length of the body stands in three bytes before libzstd's own number.
        let frame = try #require(
            sample.indices.first { sample[$0...].starts(with: [0x28, 0xB5, 0x2F, 0xFD]) })
        for claimed: [UInt8] in [
            [0x80, 0x80, 0x41], [0x80, 0x80, 0x3F], [0xFF, 0xFF, 0xFF, 0x1F], [0x80, 0x80, 0x80, 0x20],
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        ] {
            let bytes = Array(sample[..<(frame - 3)]) + claimed + Array(sample[frame...])
            #expect(CachedAnswer(decoding: sealed(bytes)) == nil)
        }
        let untouched = Array(sample[..<(frame - 3)]) + [0x80, 0x80, 0x40] + Array(sample[frame...])
        #expect(CachedAnswer(decoding: sealed(untouched)) != nil)
    }

    @Test func `more events than an answer has are not read`() {
        let many = events(Array(repeating: .text(""), count: CachedAnswer.largestEventCount))
        #expect(CachedAnswer(decoding: many.encoded()) == many)
        let tooMany = events(Array(repeating: .text(""), count: CachedAnswer.largestEventCount + 1))
        #expect(CachedAnswer(decoding: tooMany.encoded()) == nil)
    }
}
