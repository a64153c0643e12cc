import Base
import Testing

struct CryptoTests {
    /// RFC 8032, 7.1, tests 1 to 3.
    @Test(arguments: [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ])
    func `Ed25519 agrees with the published vectors`(
        seed: String, point: String, message: String, signature: String
    ) throws {
        let key = try #require(Ed25519PrivateKey(bytes: bytes(seed)))
        #expect(key.bytes == bytes(seed))
        #expect(key.publicKey.bytes == bytes(point))
        #expect(String(hex: key.signature(of: bytes(message))) == signature)
        let publicKey = try #require(Ed25519PublicKey(bytes: bytes(point)))
        #expect(publicKey.isValid(signature: bytes(signature), of: bytes(message)))
        #expect(!publicKey.isValid(signature: bytes(signature), of: bytes(message) + [0]))
        for bit in 0..<512 {
            #expect(!publicKey.isValid(signature: flip(bit, bytes(signature)), of: bytes(message)))
        }
    }

    @Test func `a new signing key is unlike any other, and prints as nothing of itself`() {
        let key = Ed25519PrivateKey.make()
        #expect(key.bytes != Ed25519PrivateKey.make().bytes)
        #expect(!Ed25519PrivateKey.make().publicKey.isValid(signature: key.signature(of: [1]), of: [1]))
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped] { #expect(text.contains("***")) }
        #expect(Ed25519PrivateKey(bytes: [UInt8](repeating: 1, count: 31)) == nil)
        #expect(Ed25519PublicKey(bytes: [UInt8](repeating: 1, count: 33)) == nil)
    }

    /// Test cases 14 and 16 of the paper that proposed GCM to NIST.
    @Test(arguments: [
        (
            String(repeating: "0", count: 64), String(repeating: "0", count: 24),
            String(repeating: "0", count: 32), "",
            "cea7403d4d606b6e074ec5d3baf39d18" + "d0d1c8a799996bf0265b98b5d48ab919"
        ),
        (
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                + "76fc6ece0f4e1768cddf8853bb2d551b"
        ),
    ])
    func `AES-256-GCM agrees with the published vectors`(
        key: String, nonce: String, plaintext: String, associated: String, sealed: String
    ) {
        let made = AES256GCM.seal(
            bytes(plaintext), key: bytes(key), associated: bytes(associated), nonce: bytes(nonce))
        #expect(String(hex: made) == nonce + sealed)
        #expect(
            AES256GCM.open(made, key: bytes(key), associated: bytes(associated)) == bytes(plaintext))
    }

    @Test func `a sealed value of which any bit was changed, or any byte cut off, stays shut`() {
        let key = Random.bytes(32)
        for length in [0, 1, 16, 33] {
            let plaintext = Random.bytes(length)
            let sealed = AES256GCM.seal(plaintext, key: key, associated: [1, 2])
            #expect(sealed.count == length + AES256GCM.overhead)
            #expect(AES256GCM.open(sealed, key: key, associated: [1, 2]) == plaintext)
            for bit in 0..<(sealed.count * 8) {
                #expect(AES256GCM.open(flip(bit, sealed), key: key, associated: [1, 2]) == nil)
            }
            for bit in 0..<256 {
                #expect(AES256GCM.open(sealed, key: flip(bit, key), associated: [1, 2]) == nil)
            }
            for count in 0..<sealed.count {
                #expect(AES256GCM.open(Array(sealed[..<count]), key: key, associated: [1, 2]) == nil)
            }
            for associated: [UInt8] in [[], [1], [1, 2, 0], [1, 3]] {
                #expect(AES256GCM.open(sealed, key: key, associated: associated) == nil)
            }
            #expect(AES256GCM.seal(plaintext, key: key, associated: [1, 2]) != sealed)
        }
    }

    @Test func `an RSA key that is weak, too large or none is refused`() {
        func modulus(bits: Int) -> [UInt8] {
            var modulus = Random.bytes(bits / 8)
            modulus[0] |= 0x80
            modulus[modulus.count - 1] |= 1
            return modulus
        }
        let exponent: [UInt8] = [1, 0, 1]
        let good = modulus(bits: 2048)
        #expect(RSAPublicKey(modulus: good, exponent: exponent) != nil)
        #expect(RSAPublicKey(modulus: [0, 0] + good, exponent: [0] + exponent) != nil)
        #expect(RSAPublicKey(modulus: modulus(bits: 1024), exponent: exponent) == nil)
        #expect(RSAPublicKey(modulus: [0x7F] + good.dropFirst(), exponent: exponent) == nil)
        #expect(RSAPublicKey(modulus: modulus(bits: 8200), exponent: exponent) == nil)
        #expect(RSAPublicKey(modulus: good.dropLast() + [2], exponent: exponent) == nil)
        for bad: [UInt8] in [[], [0], [1], [2], [0, 0, 1], [UInt8](repeating: 3, count: 9)] {
            #expect(RSAPublicKey(modulus: good, exponent: bad) == nil)
        }
        #expect(RSAPublicKey(modulus: [], exponent: exponent) == nil)
        #expect(RSAPublicKey(modulus: [UInt8](repeating: 0, count: 256), exponent: exponent) == nil)
    }

    @Test func `a point beside the curve is no key`() {
        let x = bytes("7fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445")
        let y = bytes("c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad")
        #expect(P256PublicKey(x: x, y: y) != nil)
        #expect(P256PublicKey(x: x, y: flip(7, y)) == nil)
        #expect(P256PublicKey(x: y, y: x) == nil)
        #expect(P256PublicKey(x: [0] + x, y: y) == nil)
        #expect(P256PublicKey(x: x.dropLast(), y: y) == nil)
        let zero = [UInt8](repeating: 0, count: 32)
        #expect(P256PublicKey(x: zero, y: zero) == nil)
        #expect(P256PublicKey(x: [UInt8](repeating: 0xFF, count: 32), y: y) == nil)
    }

    @Test func `PBKDF2 agrees with the published vector`() {
        let made = PBKDF2.sha256(Array("passwd".utf8), salt: Array("salt".utf8), iterations: 1, length: 64)
        #expect(
            String(hex: made) == "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
                + "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783")
    }

    /// RFC 2202, test cases 1 and 2.
    @Test func `HMAC-SHA1 agrees with the published vectors`() {
        let first = KeyedDigest.hmacSHA1(
            of: Array("Hi There".utf8), key: [UInt8](repeating: 0x0B, count: 20))
        #expect(String(hex: first) == "b617318655057264e28bc0b6fb378c8ef146be00")
        let second = KeyedDigest.hmacSHA1(
            of: Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
        #expect(String(hex: second) == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
    }

    @Test func `bytes are equal in constant time exactly when they are equal`() {
        #expect(constantTimeEquals([], []))
        #expect(constantTimeEquals([1, 2, 3], [1, 2, 3]))
        for other: [UInt8] in [[], [1, 2], [1, 2, 4], [0, 2, 3], [1, 2, 3, 0]] {
            #expect(!constantTimeEquals([1, 2, 3], other))
        }
    }

    private func flip(_ bit: Int, _ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        return bytes
    }

    private func bytes(_ hex: String) -> [UInt8] {
        stride(from: 0, to: hex.count, by: 2).map { position in
            UInt8(hex.dropFirst(position).prefix(2), radix: 16) ?? 0
        }
    }
}
