import Base
import Gateway
import HTTPWire
import JSON
import Testing

struct TextPatternTests {
    /// Swift's own expressions read the same language.
    @Test func `a pattern matches what the toolchain's expression of the same text matches`() throws {
        let seed = Random.words().0
        var random = SeededGenerator(seed: seed)
        let patterns = [
            "a*b", "(a|b)*c", "a{2,3}", "(ab?){2}", "[a-c]+|d", "[^a-c]{1,2}", "(a*)*b", "a?a?a?aaa",
            "(a|ab)(c|bcd)?",
            #"a\.b|[.]"#, "()|a", "a||b", "[a-]+", "(a{0,2}b){1,2}", #"[^\u0061]b"#,
        ]
        for pattern in patterns {
            let ours = TextPattern(pattern)
            let theirs = try Regex(pattern).matchingSemantics(.unicodeScalar)
            for _ in 0..<400 {
                let text = String(
                    (0..<Int.random(in: 0...6, using: &random)).map { _ in
                        "abcd.-".randomElement(using: &random) ?? "a"
                    })
                let expected = try theirs.wholeMatch(in: text) != nil
                #expect(ours.matches(text) == expected, "\(pattern) on \(text), seed \(seed)")
            }
        }
    }

    @Test func `a text that ruins other matchers is read in one pass`() {
        let text = String(repeating: "a", count: 20_000) + "!"
        #expect(!TextPattern("(a*)*(a|aa)*b").matches(text))
    }

    @Test func `a pattern is about the whole text, line ends and all`() {
        #expect(!TextPattern("a+").matches("aa\n"))
        #expect(!TextPattern("a+").matches("\naa"))
        #expect(TextPattern("a|b").anchored == "^(a|b)$")
    }
}

struct TextRuleTests {
    @Test(arguments: [
        "a@b", "first.last+tag@example.com", "o'neil@sub.example.co.uk", "x@1-2.org", "!#$%&'*+/=?^_`{|}~-@a",
    ])
    func `these are e-mail addresses`(text: String) { #expect(TextRule.email.takes(text)) }

    @Test(arguments: [
        "", "a", "@b", "a@", "a@b@c", ".a@b", "a.@b", "a..b@c", "a b@c", "a@b.", "a@.b", "a@-b", "a@b-",
        "a@b_c",
        "é@b", "a@b\n", "a@b\u{0}", "a@[127.0.0.1]", #""a"@b"#,
        "a@" + String(repeating: "b", count: 64), String(repeating: "a", count: 253) + "@b",
    ])
    func `these are none`(text: String) { #expect(!TextRule.email.takes(text)) }

    @Test(arguments: [
        "http://a.b", "https://example.com:65535/a/b?c=d&e=%41", "http://[::1]:8080/",
        "https://[2001:db8::1]/x",
        "https://[1:2:3:4:5:6:7:8]", "http://a?q", "https://[1:2:3:4:5:6:7::]/", "https://[::2:3:4:5:6:7:8]",
        "https://a_b.example/~x/",
    ])
    func `these are URLs, also to those who use them`(text: String) throws {
        #expect(TextRule.url.takes(text))
        _ = try URLAddress(text)
    }

    @Test(arguments: [
        "ftp://a.bc", "http://", "http:///a/bc", "http://u:p@a.b", "http://a.b#c", "http://a.b:0",
        "http://a.b:65536",
        "http://a.b/%00", "http://a.b/%4", "http://a b/c", "http://a.b/\n", "http://[1:2]/x",
        "http://[::1::2]/x",
        "http://[1:2:3:4:5:6:7:8:9]", "HTTP://a.bc", "http://a.b/\u{e9}", "http://[12345::1]/",
    ])
    func `these are no URLs that are taken`(text: String) { #expect(!TextRule.url.takes(text)) }

    @Test(arguments: [
        ("2026-11-21T09:30:00Z", "2026-11-21T09:30:00.000Z"),
        ("2026-11-21T00:30:00.1239+02:00", "2026-11-20T22:30:00.123Z"),
        ("2024-02-29T23:59:59.999999-23:59", "2024-03-01T23:58:59.999Z"),
        ("2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"),
        ("1000-01-01T00:00:00Z", "1000-01-01T00:00:00.000Z"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z"),
        ("2999-12-31T23:59:59Z", "2999-12-31T23:59:59.000Z"),
    ])
    func `a time is read to the moment that it names`(text: String, moment: String) throws {
        #expect(try #require(Timestamp(rfc3339: text)).description == moment)
    }

    @Test(arguments: [
        "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00",
        "2026-01-01 00:00:00Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567Z",
        "2026-01-01T00:00:00z",
        "0999-01-01T00:00:00Z", "3000-01-01T00:00:00Z", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00Z\n",
    ])
    func `a moment that there is not is no time`(text: String) { #expect(Timestamp(rfc3339: text) == nil) }

    @Test func `every moment reads back as it was written`() throws {
        let seed = Random.words().0
        var random = SeededGenerator(seed: seed)
        for _ in 0..<5000 {
            let milliseconds = Int64.random(in: -30_000_000_000_000...32_000_000_000_000, using: &random)
            let moment = Timestamp(microseconds: milliseconds * 1000)
            #expect(Timestamp(rfc3339: moment.description) == moment, "\(moment), seed \(seed)")
        }
    }

    @Test func `a UUID of the rule is one of the type`() {
        for text in ["019f3a52-7c1e-7b04-9d52-3f0e6a1b2c4d", "019F3A52-7C1E-7B04-9D52-3F0E6A1B2C4D"] {
            #expect(TextRule.uuid.takes(text) && UUID(text) != nil)
        }
        for text in ["", "019f3a52-7c1e-7b04-9d52-3f0e6a1b2c4", "019f3a527c1e7b049d523f0e6a1b2c4d0000"] {
            #expect(!TextRule.uuid.takes(text) && UUID(text) == nil)
        }
    }
}
