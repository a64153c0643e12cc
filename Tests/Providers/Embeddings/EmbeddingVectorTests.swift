import Base
import JSON
import Testing

@testable import Providers

struct EmbeddingVectorTests {
    private func value(_ bytes: [UInt8]) throws -> JSONValue { try JSONDocument(parsing: bytes).root }

    private func value(_ text: String) throws -> JSONValue {
        var json = JSONWriter()
        json.value(text)
        return try value(json.bytes)
    }

    @Test func `numbers and base64 come back bit by bit`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        var vector: [Float] = [
            0, -0.0, 1, -1, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude,
            .leastNormalMagnitude, .ulpOfOne, 1e16, 1e15, 16_777_216, 0.1, 1 / 3, 1e-4, 1e-5,
        ]
        while vector.count < 20_000 {
            let number = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &generator))
            if number.isFinite { vector.append(number) }
        }
        let bits = vector.map(\.bitPattern)
        let numbers = try EmbeddingVector.read(value(EmbeddingVector.list(vector)))
        #expect(numbers.map(\.bitPattern) == bits, "seed \(seed)")
        let base64 = try EmbeddingVector.read(value(EmbeddingVector.base64(vector)))
        #expect(base64.map(\.bitPattern) == bits, "seed \(seed)")
    }

    @Test func `base64 is little-endian, and a number is as short as it can be`() {
        #expect(EmbeddingVector.base64([1]) == "AACAPw==")
        #expect(String(decoding: EmbeddingVector.list([0.1, -2, 1e-7]), as: UTF8.self) == "[0.1,-2.0,1e-07]")
    }

    @Test(arguments: [
        "[]", "[1,null]", "[1,\"2\"]", "[1e39]", "null", "{}", "\"\"", "\"AACAPw=\"", "\"AACA\"",
        "\"AADAfw==\"",
        "\"!\"",
    ])
    func `half a vector is none`(text: String) throws {
        let value = try value(Array(text.utf8))
        #expect(throws: UpstreamFault.self) { try EmbeddingVector.read(value) }
    }
}
