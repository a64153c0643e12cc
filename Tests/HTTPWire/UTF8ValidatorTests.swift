import Base
import HTTPWire
import Testing

struct UTF8ValidatorTests {
    @Test func `every character of Unicode is taken, in one piece and byte by byte`() {
        for value in UInt32(0)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let bytes = Array(String(Character(scalar)).utf8)
            var validator = UTF8Validator()
            let isTaken = bytes.allSatisfy { byte in withUnsafeBytes(of: byte) { validator.accept($0) } }
            if !isTaken || !validator.isComplete {
                Issue.record("U+\(String(value, radix: 16)) is refused")
                return
            }
        }
    }

    @Test func `it agrees with the standard library on all pairs of bytes and on random ones`() {
        for first in UInt8(0)...255 {
            for second in UInt8(0)...255 { check([first, second]) }
        }
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        let bytes: [UInt8] =
            [0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1]
            + [0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF]
        for _ in 0..<100_000 {
            let count = Int.random(in: 3...12, using: &generator)
            check((0..<count).map { _ in bytes.randomElement(using: &generator)! })
        }
    }

    private func check(_ bytes: [UInt8]) {
        let expected = String(validating: bytes, as: UTF8.self) != nil
        if UTF8Validator.isValid(bytes) != expected { Issue.record("\(bytes) should be \(expected)") }
    }
}
