import Base
import Testing

struct CryptoTextTests {
    /// RFC 4648, section 10.
    @Test(arguments: [
        ("", "", ""), ("f", "Zg==", "MY"), ("fo", "Zm8=", "MZXQ"), ("foo", "Zm9v", "MZXW6"),
        ("foob", "Zm9vYg==", "MZXW6YQ"), ("fooba", "Zm9vYmE=", "MZXW6YTB"),
        ("foobar", "Zm9vYmFy", "MZXW6YTBOI"),
    ])
    func `base64 and base32 agree with the published vectors`(plain: String, base64: String, base32: String) {
        let bytes = Array(plain.utf8)
        let unpadded = String(base64.filter { $0 != "=" })
        #expect(Base64.encode(bytes) == base64)
        #expect(Base64.decode(base64) == bytes)
        #expect(Base64.encodeURL(bytes) == unpadded)
        #expect(Base64.decodeURL(unpadded) == bytes)
        #expect(Base64.encodeUnpadded(bytes) == unpadded)
        #expect(Base64.decodeUnpadded(unpadded) == bytes)
        #expect(Base32.encode(bytes) == base32)
    }

    @Test func `whatever is written is read back, and only the alphabet for URLs fits into one`() {
        var generator = SeededGenerator(seed: 7)
        for length in 0..<200 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Base64.decodeURL(Base64.encodeURL(bytes)) == bytes)
            #expect(Base64.decodeURL(Array(Base64.encodeURL(bytes).utf8)) == bytes)
        }
        #expect(Base64.encode([0xFB, 0xFF]) == "+/8=")
        #expect(Base64.encodeURL([0xFB, 0xFF]) == "-_8")
    }

    @Test(arguments: [
        "Zg", "Zg=", "Zg===", "Z", "Z===", "=", "====", "Zg==Zg==", "Z=g=", "Zh==", "Zm9=", "Zm9v ", " Zm9v",
        "Zm9v\n", "Zm-v", "Zm_v", "Zm9é", "Zm9\u{0}",
    ])
    func `base64 in any other form is refused`(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test(arguments: ["Zg==", "Zm8=", "Z", "Zh", "Zm9", "Zm+v", "Zm/v", "Zm9v\n", "Zm9v=", "Zm 9v"])
    func `base64 for URLs in any other form is refused`(text: String) {
        #expect(Base64.decodeURL(text) == nil)
        #expect(Base64.decodeURL(Array(text.utf8)) == nil)
    }

    @Test func `of all texts of three characters, exactly those are read that are written`() {
        let digits = Array(Base62.alphabet) + Array("-_".utf8)
        var read: Set<[UInt8]> = []
        for first in digits {
            for second in digits {
                for third in digits {
                    let text = [first, second, third]
                    guard let bytes = Base64.decodeURL(text) else { continue }
                    #expect(Array(Base64.encodeURL(bytes).utf8) == text)
                    read.insert(bytes)
                }
            }
        }
        #expect(read.count == 65_536)
    }
}
