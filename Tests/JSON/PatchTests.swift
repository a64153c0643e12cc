import Base
import Testing

@testable import JSON

struct PatchTests {
    private func patch(_ source: String, _ edits: JSONEdit...) throws -> String {
        text(try parse(source).patched(edits))
    }

    private let one: [UInt8] = [0x31]
    private let two: [UInt8] = [0x32]

    @Test func `a member is replaced and all else stays as it was written`() throws {
        let source = "{ \"model\" : \"a\\u0062\" ,\n  \"x\" : 1.0e0 , \"y\":[ ] } "
        #expect(
            try patch(source, .set(["model"], Array("\"z\"".utf8)))
                == "{ \"model\" : \"z\" ,\n  \"x\" : 1.0e0 , \"y\":[ ] } ")
        #expect(try patch(source) == source)
    }

    @Test func `members are added, removed and replaced together`() throws {
        #expect(
            try patch(#"{"a":1,"b":2}"#, .set(["c"], one), .set(["d"], two)) == #"{"a":1,"b":2,"c":1,"d":2}"#)
        #expect(try patch("{ }", .set(["c"], one), .set(["d"], two)) == #"{"c":1,"d":2 }"#)
        #expect(try patch(#"{"a":1,"b":2,"c":3}"#, .remove(["b"])) == #"{"a":1,"c":3}"#)
        #expect(try patch(#"{"a":1,"b":2,"c":3}"#, .remove(["a"])) == #"{"b":2,"c":3}"#)
        #expect(try patch(#"{"a":1,"b":2,"c":3}"#, .remove(["c"])) == #"{"a":1,"b":2}"#)
        #expect(try patch(#"{"a":1,"b":2,"c":3}"#, .remove(["b"]), .remove(["c"])) == #"{"a":1}"#)
        #expect(try patch(#"{"a":1,"b":2,"c":3}"#, .remove(["a"]), .remove(["b"])) == #"{"c":3}"#)
        #expect(try patch(#"{"a":1,"b":2}"#, .remove(["a"]), .remove(["b"]), .set(["n"], one)) == #"{"n":1}"#)
        #expect(
            try patch(#"{"a":1,"b":2}"#, .replace(["a"], two), .remove(["b"]), .set(["n"], one))
                == #"{"a":2,"n":1}"#)
        #expect(
            try patch(#"{"a":1}"#, .replace(["x"], two), .remove(["y"]), .remove(["y", "z"])) == #"{"a":1}"#)
    }

    @Test func `paths lead into objects and arrays`() throws {
        let source = #"{"a":{"b":[1,{"c":3},5]},"d":0}"#
        #expect(try patch(source, .set(["a", "b", 1, "c"], two)) == #"{"a":{"b":[1,{"c":2},5]},"d":0}"#)
        #expect(
            try patch(source, .set(["a", "b", 1, "x"], two)) == #"{"a":{"b":[1,{"c":3,"x":2},5]},"d":0}"#)
        #expect(try patch(source, .remove(["a", "b", 0])) == #"{"a":{"b":[{"c":3},5]},"d":0}"#)
        #expect(try patch(source, .append(["a", "b"], two)) == #"{"a":{"b":[1,{"c":3},5,2]},"d":0}"#)
        #expect(try patch(source, .prepend(["a", "b"], two)) == #"{"a":{"b":[2,1,{"c":3},5]},"d":0}"#)
        #expect(try patch("[]", .prepend([], one), .append([], two)) == "[1,2]")
        #expect(
            try patch("[0]", .prepend([], one), .prepend([], two), .append([], one), .remove([0]))
                == "[1,2,1]")
        #expect(try patch("[0]", .set([], one)) == "1")
        #expect(try patch(#"{"\u0061":1}"#, .set(["a"], two)) == #"{"\u0061":2}"#)
        #expect(try patch("{}", .set(["\"\n"], two)) == #"{"\"\n":2}"#)
    }

    @Test func `an edit without its place and edits that collide are refused`() {
        #expect(throws: JSONEditError.noSuchPlace(["x", "y"])) { try patch("{}", .set(["x", "y"], one)) }
        #expect(throws: JSONEditError.noSuchPlace(["a", "y"])) {
            try patch(#"{"a":1}"#, .set(["a", "y"], one))
        }
        #expect(throws: JSONEditError.noSuchPlace([1])) { try patch("[0]", .set([1], one)) }
        #expect(throws: JSONEditError.noSuchPlace(["a"])) { try patch(#"{"a":1}"#, .append(["a"], one)) }
        #expect(throws: JSONEditError.noSuchPlace(["b"])) { try patch(#"{"a":1}"#, .append(["b"], one)) }
        #expect(throws: JSONEditError.conflict(["a"])) {
            try patch(#"{"a":{"b":1}}"#, .set(["a"], one), .set(["a", "b"], one))
        }
        #expect(throws: JSONEditError.conflict(["a"])) {
            try patch(#"{"a":1}"#, .remove(["a"]), .remove(["a"]))
        }
        #expect(throws: JSONEditError.conflict(["n"])) { try patch("{}", .set(["n"], one), .set(["n"], two)) }
    }

    @Test(arguments: [UInt64(31), 32, .random(in: 0 ... .max)])
    func `random edits do what they do to the value`(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            var members: [String: Model] = [:]
            for key in ["a", "b", "c", "d"].shuffled(using: &generator).prefix(generator.below(5)) {
                members[key] = Model.random(&generator, depth: 2)
            }
            let source = try parse(Model.object(members).written(&generator))
            var edits: [JSONEdit] = []
            for key in ["a", "b", "c", "d", "e"].shuffled(using: &generator).prefix(generator.below(4)) {
                switch generator.below(3) {
                case 0:
                    edits.append(.set([.key(key)], one))
                    members[key] = .integer(1)
                case 1:
                    edits.append(.replace([.key(key)], two))
                    if members[key] != nil { members[key] = .integer(2) }
                default:
                    edits.append(.remove([.key(key)]))
                    members[key] = nil
                }
            }
            let patched = try source.patched(edits)
            #expect(try Model(JSONDocument(parsing: patched).root) == .object(members), "seed \(seed)")
        }
    }
}
