import Base
import Testing

struct DigestTests {
    @Test func `digests agree with the published vectors`() {
        #expect(
            String(hex: Digest.sha256(Array("abc".utf8)))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            String(hex: Digest.sha256([]))
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(String(hex: Digest.sha1(Array("abc".utf8))) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        // RFC 4231, test case 2.
        #expect(
            String(
                hex: Digest.hmacSHA256(key: Array("Jefe".utf8), Array("what do ya want for nothing?".utf8)))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(CRC32.checksum(of: Array("123456789".utf8)) == 0xCBF4_3926)
    }

    @Test func `a key taken in once gives the same codes as one taken in for each message`() {
        for key in [Array("Jefe".utf8), Random.bytes(64), Random.bytes(65), Random.bytes(200)] {
            let keyed = KeyedDigest(key: key)
            for length in [0, 1, 44, 55, 56, 64, 1000] {
                let message = Random.bytes(length)
                #expect(keyed.hmacSHA256(of: message) == Digest.hmacSHA256(key: key, message))
            }
        }
    }

    @Test func `equality of secrets looks at every byte`() {
        #expect(Digest.areEqual([1, 2, 3], [1, 2, 3]))
        #expect(!Digest.areEqual([1, 2, 3], [1, 2, 4]))
        #expect(!Digest.areEqual([1, 2, 3], [1, 2]))
    }
}
