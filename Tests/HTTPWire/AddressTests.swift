import HTTPWire
import Testing

struct AddressTests {
    @Test(arguments: [
        ("a%20b", "a b"), ("%C3%A4", "ä"), ("%c3%a4", "ä"), ("a+b", "a+b"), ("", ""), ("a%2Fb", "a/b"),
        ("%25", "%"),
    ])
    func `percent-encoded text is decoded`(encoded: String, decoded: String) {
        #expect(PercentCoding.decode(Array(encoded.utf8)[...]) == decoded)
    }

    @Test(arguments: ["%", "%2", "%zz", "%0", "%00", "%FF", "%C3", "%ED%A0%80", "a%", "%%20", "%+1", "% 1"])
    func `text that encodes nothing sensible has no decoding`(encoded: String) {
        #expect(PercentCoding.decode(Array(encoded.utf8)[...]) == nil)
    }

    @Test func `what is encoded decodes to itself`() {
        let all = String((1...0x2FF).compactMap { Unicode.Scalar($0).map(Character.init) }) + "👋/?#"
        #expect(PercentCoding.decode(Array(PercentCoding.encode(all).utf8)[...]) == all)
        #expect(PercentCoding.encode("a/b c:ä") == "a%2Fb%20c%3A%C3%A4")
        #expect(PercentCoding.encode("a/b c", keepingSlash: true) == "a/b%20c")
    }

    @Test func `a query is read into its parameters`() throws {
        let items = try QueryItems(Array("a=1&b=x+y%26&a=2&flag&&e==".utf8)[...])
        #expect(items["a"] == "1")
        #expect(items.values("a") == ["1", "2"])
        #expect(items["b"] == "x y&")
        #expect(items["flag"] == "")
        #expect(items["e"] == "=")
        #expect(items["missing"] == nil)
        #expect(throws: QueryItems.Fault.malformed) { try QueryItems(Array("a=%f".utf8)[...]) }
        let many = Array(String(repeating: "a&", count: 101).utf8)
        #expect(throws: QueryItems.Fault.tooMany) { try QueryItems(many[...]) }
    }

    @Test func `an address is taken apart`() throws {
        let address = try URLAddress("HTTPS://user:p%40ss@Example.COM:8443/v1/a%20b?x=1&y")
        #expect(address.scheme == "https")
        #expect(address.userinfo == "user:p%40ss")
        #expect(address.host == "example.com")
        #expect(address.port == 8443)
        #expect(address.path == "/v1/a%20b")
        #expect(address.query == "x=1&y")
        #expect(address.description == "https://example.com:8443/v1/a%20b?x=1&y")

        let plain = try URLAddress("http://[::1]")
        #expect(plain.host == "::1" && plain.port == nil && plain.path == "" && plain.effectivePort == 80)
        #expect(plain.description == "http://[::1]")
        #expect(try URLAddress("redis://127.0.0.1").effectivePort == 6379)
        #expect(try URLAddress("http://a?b").query == "b")
    }

    @Test(arguments: [
        ("", URLAddress.Fault.invalidScheme), ("example.com", .invalidScheme), ("/path", .invalidScheme),
        ("http:/a", .invalidScheme), ("1http://a", .invalidScheme), ("ht tp://a", .invalidScheme),
        ("http://", .missingHost), ("http:///x", .missingHost), ("http://:80", .missingHost),
        ("http://a b", .invalidHost), ("http://a%20", .invalidHost), ("http://[::1", .invalidHost),
        ("http://[::1]x", .invalidHost), ("http://a\\b", .invalidHost), ("http://ä", .invalidHost),
        ("http://a:", .invalidPort), ("http://a:x", .invalidPort), ("http://a:70000", .invalidPort),
        ("http://a@b@c", .invalidUserinfo), ("http://a/ b", .invalidPath), ("http://a/%zz", .invalidPath),
        ("http://a/?<", .invalidQuery), ("http://a/#x", .fragment), ("http://a/\r\nX: y", .invalidPath),
    ])
    func `an address that is none is refused`(text: String, fault: URLAddress.Fault) {
        #expect(throws: fault) { try URLAddress(text) }
    }

    @Test func `an address that is too long is refused`() {
        #expect(throws: URLAddress.Fault.tooLong) {
            try URLAddress("http://a/" + String(repeating: "x", count: 9000))
        }
    }
}
