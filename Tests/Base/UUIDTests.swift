import Base
import Testing

struct UUIDTests {
    @Test func `an identifier is the same after a round trip through text and bytes`() {
        for _ in 0..<1000 {
            let id = UUID.make()
            #expect(UUID(id.description) == id)
            #expect(UUID(id.description.uppercased()) == id)
            #expect(UUID(bytes: id.bytes) == id)
        }
        #expect(
            UUID("0192f0c1-2345-7abc-8def-0123456789ab")?.description
                == "0192f0c1-2345-7abc-8def-0123456789ab")
    }

    @Test func `new identifiers carry the version and follow the clock`() {
        let early = UUID.make(at: Timestamp(seconds: 1_700_000_000))
        let late = UUID.make(at: Timestamp(seconds: 1_700_000_001))
        #expect(early < late)
        #expect(Array(early.description.utf8)[14] == UInt8(ascii: "7"))
        #expect(Set((0..<1000).map { _ in UUID.make(at: Timestamp(seconds: 1)) }).count == 1000)
    }

    @Test(arguments: [
        "", "0192f0c1", "0192f0c1-2345-7abc-8def-0123456789a", "0192f0c1-2345-7abc-8def-0123456789abc",
        "0192f0c1_2345-7abc-8def-0123456789ab", "g192f0c1-2345-7abc-8def-0123456789ab",
    ])
    func `text that is no identifier is refused`(text: String) {
        #expect(UUID(text) == nil)
    }

    @Test func `random base62 has the length asked for and uses the whole alphabet`() {
        let text = Random.base62(10_000)
        #expect(text.utf8.count == 10_000)
        #expect(Set(text.utf8) == Set(Base62.alphabet))
        #expect(Base62.encode(61, width: 6) == "00000z")
        #expect(Base62.encode(62, width: 6) == "000010")
    }
}
