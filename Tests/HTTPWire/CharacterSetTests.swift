import HTTPWire
import Testing

struct CharacterSetTests {
    static let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

    @Test func `exactly the RFC's characters may stand in a name, a path, a query and a host`() {
        check(Self.letters + "!#$%&'*+-.^_`|~") { "GET / HTTP/1.1\r\nHost: a\r\nX\($0)X: 1\r\n\r\n" }
        check(Self.letters + "-._~!$&'()*+,;=:@/?") { "GET /x\($0)x HTTP/1.1\r\nHost: a\r\n\r\n" }
        check(Self.letters + "-._~!$&'()*+,;=:@/?[]{}|^`") { "GET /?x\($0)x HTTP/1.1\r\nHost: a\r\n\r\n" }
        check(Self.letters + "-._~") { "GET / HTTP/1.1\r\nHost: x\($0)x\r\n\r\n" }
    }

    private func check(_ allowed: String, _ request: (Character) -> String) {
        for byte in UInt8(0)..<128 where byte != 0x0A && byte != 0x0D {
            let character = Character(UnicodeScalar(byte))
            // A colon ends a name, and a space or percent sign has rules of its own.
            if (character == ":" && !allowed.contains(":")) || character == " " { continue }
            if character == "%" && !allowed.contains("%") { continue }
            var parser = RequestHeadParser()
            let progress = parser.parse(Array(request(character).utf8))
            var isTaken = false
            if case .head = progress { isTaken = true }
            #expect(isTaken == allowed.contains(character), "\(request(character).debugDescription)")
        }
    }
}
