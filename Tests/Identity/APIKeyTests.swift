import Base
import Identity
import Testing

struct APIKeyTests {
    @Test func `a new key is its own proof`() {
        for _ in 0..<200 {
            let key = APIKey.make()
            let text = key.secret.reveal()
            #expect(text.utf8.count == 44)
            #expect(APIKey(presented: text.utf8)?.secret == key.secret)
            #expect(text.hasSuffix(key.lastFour))
            #expect(!"\(key)".contains(key.secret.reveal()))
        }
    }

    @Test func `a key with any one character changed, added or missing is none`() {
        let text = Array(APIKey.make().secret.reveal().utf8)
        for position in text.indices {
            for other in Base62.alphabet + Array("_-. ".utf8) where other != text[position] {
                var changed = text
                changed[position] = other
                #expect(APIKey(presented: changed) == nil)
            }
            var shorter = text
            shorter.remove(at: position)
            #expect(APIKey(presented: shorter) == nil)
        }
        #expect(APIKey(presented: text + [0x61]) == nil)
        #expect(APIKey(presented: []) == nil)
    }

    @Test func `a key stays known when the pepper is rotated`() throws {
        let key = APIKey.make()
        let older = String(repeating: "o", count: 32)
        let newer = String(repeating: "n", count: 32)
        let before = try KeyPeppers(parsing: Secret("1:\(older)"))
        let after = try KeyPeppers(parsing: Secret("1:\(older),2:\(newer)"))
        #expect(after.digests(of: key).contains(before.digest(of: key).digest))
        #expect(after.digest(of: key).version == 2)
        #expect(after.digest(of: key).digest != before.digest(of: key).digest)
    }

    @Test(arguments: [
        "", "abc", "1:short", "x:\(String(repeating: "a", count: 40))",
        "0:\(String(repeating: "a", count: 40))",
    ])
    func `a pepper that is malformed or weak is refused, and not repeated in the message`(text: String) {
        #expect { try KeyPeppers(parsing: Secret(text)) } throws: { !"\($0)".contains("aaaa") }
    }

    @Test func `a password matches its hash and nothing else does`() {
        let hash = PasswordHash(of: Secret("correct horse"))
        #expect(hash.text.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
        #expect(PasswordHash(stored: hash.text).matches(Secret("correct horse")))
        #expect(!hash.matches(Secret("correct horsf")))
        #expect(PasswordHash(of: Secret("correct horse")) != hash)
    }
}
