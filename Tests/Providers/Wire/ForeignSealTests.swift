import Chat
import Testing

@testable import Providers

struct ForeignSealTests {
    @Test(arguments: ChatDialect.allCases)
    func `a seal comes back as it was, whatever is in it`(origin: ChatDialect) {
        for data in ["", "abc=", "a.b:c", "é\u{0}\u{1F41D}", "hivegate.seal.1.gemini.v.0:x"] {
            for id in [nil, "rs_1", "a:b.c", "ü"] {
                for replacesText in [true, false] {
                    let seal = ChatSeal(data, origin: origin, id: id, replacesText: replacesText)
                    #expect(ForeignSeal.unwrap(ForeignSeal.wrap(seal)) == seal)
                }
            }
        }
    }

    @Test(arguments: [
        "", "sig", "hivegate.seal.1.", "hivegate.seal.1.gemini.v.3:ab", "hivegate.seal.1.nobody.v.0:x",
        "hivegate.seal.1.gemini.x.0:x", "hivegate.seal.1.gemini.v.-1:x", "hivegate.seal.2.gemini.v.0:x",
    ])
    func `what is no wrapped seal is left to the front's own dialect`(text: String) {
        #expect(ForeignSeal.unwrap(text) == nil)
    }
}
