import Base
import Testing

@testable import JSON

struct CanonicalTests {
    @Test(arguments: [
        (#" { "b" : 1 , "a" : [ true , null ] } "#, #"{"a":[true,null],"b":1}"#),
        (#""\u0041\/\u000a\u00e9\ud83d\ude00\u001f\u0022""#, "\"A/\\né😀\\u001f\\\"\""),
        (#"{"b":1,"a":1,"":1,"ab":1,"B":1}"#, #"{"":1,"B":1,"a":1,"ab":1,"b":1}"#),
        // By code points, not by UTF-16: U+FFFF comes before U+10000.
        (
            "{\"\u{10000}\":1,\"\u{FFFF}\":2,\"\\ud800\\udc01\":3}",
            "{\"\u{FFFF}\":2,\"\u{10000}\":1,\"\u{10001}\":3}"
        ),
        ("[ ]", "[]"), ("{ }", "{}"),
        ("0", "0"), ("-0", "0"), ("-0.0e5", "0"), ("1.0", "1"), ("1e0", "1"), ("10e-1", "1"), ("100", "100"),
        ("1e2", "100"), ("1.5", "15e-1"), ("0.25", "25e-2"), ("-2.50e-3", "-25e-4"),
        ("1e19", "10000000000000000000"),
        ("1e20", "1e20"), ("100000000000000000000", "1e20"), ("1e999999999", "1e999999999"),
        ("10e-999999999", "1e-999999998"), ("0.1e1", "1"), ("18446744073709551615", "18446744073709551615"),
        ("9007199254740993", "9007199254740993"),
        ("123456789012345678901234567890", "12345678901234567890123456789e1"),
        ("1234567890123456789012345678901", "1234567890123456789012345678901"), ("-100.00", "-100"),
    ])
    func `a value has one spelling`(_ source: String, _ expected: String) throws {
        #expect(text(try parse(source).canonical()) == expected)
    }

    @Test(arguments: [UInt64(11), 12, .random(in: 0 ... .max)])
    func `equal values have equal bytes and others have not`(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var seen: [[UInt8]: Model] = [:]
        for _ in 0..<400 {
            let model = Model.random(&generator)
            let canonical = try parse(model.written(&generator)).canonical()
            #expect(try parse(model.written(&generator)).canonical() == canonical, "seed \(seed)")
            #expect(try JSONDocument(parsing: canonical).canonical() == canonical, "seed \(seed)")
            #expect(try Model(JSONDocument(parsing: canonical).root) == model, "seed \(seed)")
            if let other = seen[canonical] { #expect(other == model, "seed \(seed)") }
            seen[canonical] = model
        }
    }

    @Test(arguments: [UInt64(21), .random(in: 0 ... .max)])
    func `decimals are compared by value`(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let digits = (0...generator.below(30)).map { _ in String(generator.below(10)) }.joined()
            let point = generator.below(digits.count) + 1
            let exponent = generator.below(60) - 30
            var whole = String(digits.prefix(point).drop { $0 == "0" })
            if whole.isEmpty { whole = "0" }
            let fraction = digits.dropFirst(point)
            let written = whole + (fraction.isEmpty ? "" : ".\(fraction)") + "e\(exponent)"
            // The same value with the point moved and zeros added.
            var all = String((whole + fraction).drop { $0 == "0" })
            all = all.isEmpty ? "0" : all + "000"
            let moved = all + ".000e\(exponent - fraction.count - 3)"
            #expect(
                try parse(written).canonical() == parse(moved).canonical(), "\(written) \(moved) seed \(seed)"
            )
            #expect(try parse(written).root.double == parse(text(parse(written).canonical())).root.double)
        }
    }

    @Test func `a large object is sorted`() throws {
        let keys = (0..<1000).map { ($0 * 7919) % 1000 }
        let document = try parse("{" + keys.map { "\"\($0)\":0" }.joined(separator: ",") + "}")
        let sorted = try JSONDocument(parsing: document.canonical()).root.members.map { $0.key.string }
        #expect(sorted == keys.map(String.init).sorted())
    }
}
