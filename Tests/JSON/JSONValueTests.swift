import Base
import Testing

@testable import JSON

struct JSONValueTests {
    @Test func `the fields of a request are read in place`() throws {
        let document = try parse(
            #"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"stream":true,"n":1,"stop":null}"#
        )
        let root = document.root
        #expect(root.kind == .object && root.count == 5)
        #expect(root["model"]?.string == "gpt-4o")
        #expect(document["model"]?.stringEquals("gpt-4o") == true)
        #expect(document["model"]?.stringEquals("gpt-4") == false)
        #expect(root["stream"]?.bool == true)
        #expect(root["n"]?.int == 1)
        #expect(root["stop"]?.isNull == true)
        #expect(root["absent"] == nil)
        #expect(root["messages"]?.element(0)?["role"]?.string == "user")
        #expect(root["messages"]?.element(1) == nil)
        #expect(root.member("messages").map { text($0.bytes) } == #"[{"role":"user","content":"hi"}]"#)
    }

    @Test func `a value read as something else is nil`() throws {
        let values = try parse(#"[{},[],"1",1,true,null]"#).root.elements
        for value in values {
            #expect((value.string != nil) == (value.kind == .string))
            #expect((value.int != nil) == (value.kind == .number))
            #expect((value.double != nil) == (value.kind == .number))
            #expect((value.bool != nil) == (value.kind == .bool))
            #expect(value.isNull == (value.kind == .null))
            #expect(value["x"] == nil && value.element(0) == nil && value.count == 0)
            #expect(Array(value.members).isEmpty && Array(value.elements).isEmpty)
        }
        #expect(values.map(\.kind) == [.object, .array, .string, .number, .bool, .null])
    }

    @Test func `keys are found whatever way they are written`() throws {
        let root = try parse(#"{"a\u0062c":1,"\n":2,"\\n":3,"\ud83d\ude00":4,"":5,"é":6}"#).root
        #expect(root["abc"]?.int == 1)
        #expect(root["\n"]?.int == 2)
        #expect(root["\\n"]?.int == 3)
        #expect(root["😀"]?.int == 4)
        #expect(root[""]?.int == 5)
        #expect(root.member("é")?.int == 6)
        #expect(root["a\\u0062c"] == nil)
    }

    @Test func `members are told apart by switching over the key`() throws {
        var found = ""
        for member in try parse(#"{"model":1,"\u006dessages":2,"mod":3}"#).root.members {
            switch member.key {
            case "model": found += "model "
            case "messages": found += "messages "
            default: found += "other:\(member.key) "
            }
        }
        #expect(found == "model messages other:mod ")
    }

    @Test(arguments: [
        ("0", 0), ("-0", 0), ("1", 1), ("1.0", 1), ("1e2", 100), ("100e-2", 1), ("1.50e1", 15),
        ("-2.0E+3", -2000),
        ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min),
        ("9223372036854775807.000", Int.max),
        ("922337203685477580.7e1", Int.max), ("0e999999999", 0), ("0.000e-5", 0),
        ("1000000000000000000", 1_000_000_000_000_000_000),
    ])
    func `a number that is an integer by value is one`(_ written: String, _ expected: Int) throws {
        #expect(try parse(written).root.int == expected)
    }

    @Test(arguments: [
        "0.5", "1.5", "1e-1", "9223372036854775808", "-9223372036854775809", "1e19", "1e999999999",
        "1e-999999999",
        "123456789012345678901234567890", "9223372036854775807.1",
    ])
    func `a number that is no 64-bit integer is none`(_ written: String) throws {
        #expect(try parse(written).root.int == nil)
    }

    @Test func `doubles are the nearest and never infinite`() throws {
        #expect(try parse("0.1").root.double == 0.1)
        #expect(try parse("-1.7976931348623157e308").root.double == -Double.greatestFiniteMagnitude)
        #expect(try parse("5e-324").root.double == Double.leastNonzeroMagnitude)
        #expect(try parse("1e400").root.double == nil)
        #expect(try parse("1e-400").root.double == 0)
        #expect(try parse("12.340").root.number == "12.340")
    }

    @Test func `the range of a value is its bytes in the source`() throws {
        let source = #" { "a" : [ 1 , {"b": "c"} ] , "d" : -1.5 } "#
        let root = try parse(source).root
        #expect(text(root.bytes) == source.dropFirst().dropLast())
        #expect(root["a"].map { text($0.bytes) } == #"[ 1 , {"b": "c"} ]"#)
        #expect(root["a"]?.element(1).map { text($0.bytes) } == #"{"b": "c"}"#)
        #expect(root["d"].map { text($0.bytes) } == "-1.5")
        #expect(root["d"].map { text(root.storage.bytes[$0.range]) } == "-1.5")
    }

    @Test func `views outlive the document they came from`() throws {
        func inner() throws -> JSONValue? { try parse(#"{"a":{"b":[1,2,"three"]}}"#).root["a"]?["b"] }
        #expect(try inner()?.element(2)?.string == "three")
    }

    @Test(arguments: [UInt64(7), .random(in: 0 ... .max)])
    func `what was written in random ways is what views show`(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            let model = Model.random(&generator)
            #expect(try Model(parse(model.written(&generator)).root) == model, "seed \(seed)")
        }
    }
}
