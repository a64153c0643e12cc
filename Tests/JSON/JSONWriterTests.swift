import Base
import Testing

@testable import JSON

struct JSONWriterTests {
    @Test func `an answer is written as it reads`() {
        var json = JSONWriter(capacity: 256)
        let absent: String? = nil
        json.object {
            $0.field("id", "x-1")
            $0.field("created", 17)
            $0.array("data") { json in
                json.value(1)
                json.object { $0.field("ok", true) }
                json.array { _ in }
                json.null()
            }
            $0.object("usage") { _ in }
            $0.field("score", 0.1)
            $0.field("nothing", absent)
            $0.field("left out", ifPresent: absent)
            $0.field("there", ifPresent: Optional(2))
            $0.field("raw", raw: [0x5B, 0x5D])
            $0.array("names", ["a", "b"])
            $0.null("none")
        }
        #expect(
            text(json.bytes)
                == #"{"id":"x-1","created":17,"data":[1,{"ok":true},[],null],"usage":{},"score":0.1,"nothing":null,"#
                + #""there":2,"raw":[],"names":["a","b"],"none":null}"#)
        json.reset()
        json.value("again")
        #expect(text(json.bytes) == "\"again\"")
    }

    @Test func `strings are escaped where they must be`() {
        var json = JSONWriter()
        json.value("\"\\\u{8}\u{C}\n\r\t\u{0}\u{1F}/é😀\u{7F} and a long tail of plain text")
        #expect(
            text(json.bytes) == #""\"\\\b\f\n\r\t\u0000\u001f/é😀"# + "\u{7F} and a long tail of plain text\"")
    }

    @Test(arguments: [0, -1, 1, 42, Int.max, Int.min, 1_000_000_007])
    func `integers are written exactly`(_ integer: Int) {
        var json = JSONWriter()
        json.value(integer)
        #expect(text(json.bytes) == "\(integer)")
    }

    @Test(arguments: [UInt64(3), .random(in: 0 ... .max)])
    func `doubles come back the same`(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let double = Double(bitPattern: generator.next())
            guard double.isFinite else { continue }
            var json = JSONWriter()
            json.value(double)
            #expect(try JSONDocument(parsing: json.bytes).root.double == double, "seed \(seed)")
        }
    }

    @Test(arguments: [UInt64(5), .random(in: 0 ... .max)])
    func `what is written is read back`(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            let model = Model.random(&generator)
            var json = JSONWriter()
            model.write(to: &json)
            #expect(try Model(JSONDocument(parsing: json.bytes).root) == model, "seed \(seed)")
        }
    }

    @Test func `a view is spliced in as it was written`() throws {
        let source = try parse(#"{"a": [ 1.0,"\u0041" ]}"#)
        var json = JSONWriter()
        try json.object { $0.field("b", try #require(source["a"])) }
        #expect(text(json.bytes) == #"{"b":[ 1.0,"\u0041" ]}"#)
    }
}
