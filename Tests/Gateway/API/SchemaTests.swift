import Base
import Gateway
import JSON
import Testing

/// What a schema says of a value.
private func faults(_ schema: Schema, _ json: String) throws -> [String] {
    let value = try JSONDocument(parsing: Array(json.utf8)).root
    return schema.faults(of: value).map { "\($0.field): \($0.message)" }
}

private enum Colour: String, CaseIterable { case red, green }

struct SchemaTests {
    private static let key = Schema.object([
        Field("name", .line(1...10), "Its name."),
        .optional(
            "scopes", .array(of: .choice(["read", "admin"]), 1...2, isUnique: true), "What it may do."),
        .optional(
            "limits",
            .object([
                Field("requests_per_minute", .integer(1...1000), "Requests."),
                .optional("ratio", .number(0...1), isNullable: true, "A share."),
            ]), isNullable: true, "Its limits."),
        .optional("labels", .map(of: .string(0...3), keys: .line(1...2), maximumCount: 2), "Labels."),
        .optional("stop", .anyOf([.string(0...3), .array(of: .string(0...3), 0...2)]), "A text or texts."),
        .optional("more", .any, "Anything."),
    ])

    @Test(arguments: [
        #"{"name":"a"}"#, #"{"name":"ééééé ééé\uD83D\uDE00","limits":null}"#,
        #"{"name":"a","scopes":["read","admin"],"limits":{"requests_per_minute":1.0e3,"ratio":null}}"#,
        #"{"name":"a","labels":{"a":"","b":"xyz"},"stop":"abc","more":{"deep":[1,{"x":null}]}}"#,
        #"{"name":"a","labels":{},"stop":["a"],"more":null}"#,
    ])
    func `what is as described is taken`(json: String) throws {
        #expect(try faults(Self.key, json) == [])
    }

    @Test(arguments: [
        (#"{}"#, "name: is required"), (#"{"name":null}"#, "name: must not be null"),
        (#"{"name":1}"#, "name: must be a string without control characters"),
        (#"{"name":""}"#, "name: must not be empty"),
        (#"{"name":"12345678901"}"#, "name: must have at most 10 characters"),
        (#"{"name":"a\u0000"}"#, "name: must not contain U+0000"),
        (#"{"name":"a\n"}"#, "name: must be a string without control characters"),
        (#"{"name":"a","nmae":1}"#, "nmae: is not known here"),
        (#"{"name":"a","scopes":[]}"#, "scopes: must have at least 1 elements"),
        (#"{"name":"a","scopes":["read","write"]}"#, "scopes[1]: must be one of read, admin"),
        (#"{"name":"a","scopes":["read","r\u0065ad"]}"#, "scopes[1]: is in the list already"),
        (#"{"name":"a","scopes":["read","admin",5,6]}"#, "scopes: must have at most 2 elements"),
        (#"{"name":"a","scopes":"read"}"#, "scopes: must be a list"),
        (#"{"name":"a","limits":{}}"#, "limits.requests_per_minute: is required"),
        (#"{"name":"a","limits":[]}"#, "limits: must be an object"),
        (
            #"{"name":"a","limits":{"requests_per_minute":1001}}"#,
            "limits.requests_per_minute: must be between 1 and 1000"
        ),
        (
            #"{"name":"a","limits":{"requests_per_minute":1.5}}"#,
            "limits.requests_per_minute: must be a whole number between 1 and 1000"
        ),
        (
            #"{"name":"a","limits":{"requests_per_minute":1e99}}"#,
            "limits.requests_per_minute: must be a whole number between 1 and 1000"
        ),
        (
            #"{"name":"a","limits":{"requests_per_minute":"1"}}"#,
            "limits.requests_per_minute: must be a whole number"
        ),
        (
            #"{"name":"a","limits":{"requests_per_minute":1,"x":{}}}"#,
            "limits.x: is not known here"
        ),
        (#"{"name":"a","labels":{"a":"1234"}}"#, "labels.a: must have at most 3 characters"),
        (#"{"name":"a","labels":{"abc":""}}"#, "labels.abc: as a key must have at most 2 characters"),
        (#"{"name":"a","labels":{"a":"","b":"","c":""}}"#, "labels: must have at most 2 fields"),
        (#"{"name":"a","stop":5}"#, "stop: must be a string or a list"),
        (#"{"name":"a","stop":["a","1234"]}"#, "stop[1]: must have at most 3 characters"),
        (#"{"name":"a","more":{"b":["\u0000"]}}"#, "more.b[0]: must not contain U+0000"),
        (#"{"name":"a","more":[1e400]}"#, "more[0]: must not be larger than a double"),
        (#"{"name":"a","more":{"b":{"\u0000":1}}}"#, "more.b.\u{FFFD}: must not contain U+0000"),
    ])
    func `a fault is named with the path of its field`(json: String, fault: String) throws {
        #expect(try faults(Self.key, json) == [fault])
    }

    @Test func `all faults are found at once, up to as many as anybody reads`() throws {
        let found = try faults(
            Self.key,
            #"{"scopes":["x",1],"limits":{"requests_per_minute":0,"ratio":2},"labels":{"abc":7},"y":1}"#)
        #expect(
            found == [
                "scopes[0]: must be one of read, admin", "scopes[1]: must be one of read, admin",
                "limits.requests_per_minute: must be between 1 and 1000",
                "limits.ratio: must be between 0.0 and 1.0",
                "labels.abc: as a key must have at most 2 characters", "labels.abc: must be a string",
                "y: is not known here", "name: is required",
            ])
        let many = (0..<500).map { #""f\#($0)":1"# }.joined(separator: ",")
        #expect(try faults(Self.key, "{\(many)}").count == 50)
    }

    @Test func `a client's key is said back cut and without what does not print`() throws {
        let long = String(repeating: "k", count: 100)
        let found = try faults(.object([]), #"{"a\u0000\u001b\u202eb":1,"\#(long)":1}"#)
        #expect(
            found == [
                "a\u{FFFD}\u{FFFD}\u{FFFD}b: is not known here",
                "\(long.prefix(64))…: is not known here",
            ])
    }

    /// Doubles would round these onto the bound.
    @Test(arguments: [
        ("1", true), ("1.0", true), ("100e-2", true), ("0.99999999999999999999999", true),
        ("1.00000000000000000000001", false), ("1.1", false), ("-1e-400", false), ("-0.0", true),
        ("1e-999", true), ("1e999", false), ("10e-1", true), ("10e-2", true), ("11e-1", false),
    ])
    func `a number just beyond a bound is beyond it`(text: String, isTaken: Bool) throws {
        #expect(try faults(.number(0...1), text).isEmpty == isTaken)
    }

    @Test func `a whole number is one by value, whatever it looks like`() throws {
        for text in ["5", "5.0", "50e-1", "0.5e1"] {
            #expect(try faults(.integer(5...5), text) == [])
        }
        #expect(try faults(.integer(Int.min...Int.max), "9223372036854775807") == [])
        #expect(try faults(.integer(Int.min...Int.max), "9223372036854775808") != [])
    }

    @Test func `an open object minds only the fields that it names`() throws {
        let open = Schema.openObject([Field("a", .boolean, "A flag.")])
        #expect(try faults(open, #"{"a":true,"b":"\u0000"}"#) == [])
        #expect(try faults(open, #"{"a":1}"#) == ["a: must be true or false"])
    }
}

struct FieldsTests {
    private static let described = [
        Field("name", .string(1...10), "Its name."),
        .optional("count", .integer(0...9), default: "3", "How many."),
        .optional("ratio", .number(0...9), "A share."), .optional("flag", .boolean, "A flag."),
        .optional("tags", .array(of: .string(0...9)), default: "[]", "Tags."),
        .optional("owner", .uuid, isNullable: true, "Whose it is."),
        .optional("at", .timestamp, "When."), .optional("colour", .choice(of: Colour.self), "Which."),
        .optional("secret", .secret(1...9), "A secret."),
        .optional("limits", .object([Field("rpm", .integer(1...9), default: "7", "Limit.")]), "Limits."),
    ]

    private func fields(_ json: String) throws -> Fields {
        let value = try JSONDocument(parsing: Array(json.utf8)).root
        try #require(Schema.object(Self.described).faults(of: value) == [])
        return Fields(value, Self.described)
    }

    @Test func `fields are read as what they are`() throws {
        let all = try fields(
            """
            {"name":"n","count":5,"ratio":0.5,"flag":false,"tags":["a","b"],"colour":"green","secret":"s",
             "owner":"019F3A52-7C1E-7B04-9D52-3F0E6A1B2C4D","at":"2026-11-21T09:30:00+01:00","limits":{}}
            """)
        #expect(all.string("name") == "n" && all.integer("count") == 5 && all.number("ratio") == 0.5)
        #expect(all.bool("flag") == false && all.strings("tags") == ["a", "b"])
        #expect(all.id("owner") == UUID("019f3a52-7c1e-7b04-9d52-3f0e6a1b2c4d"))
        #expect(all.timestamp("at").description == "2026-11-21T08:30:00.000Z")
        #expect(all.choice("colour", as: Colour.self) == .green)
        #expect(all.secret("secret").reveal() == "s" && "\(all.secret("secret"))" == "***")
        #expect(all.optionalFields("limits")?.integer("rpm") == 7)
    }

    @Test func `what was not sent is absent or its default, and null is neither`() throws {
        let few = try fields(#"{"name":"n","owner":null}"#)
        #expect(few.integer("count") == 3 && few.strings("tags") == [])
        #expect(!few.isPresent("count") && few.isPresent("name"))
        #expect(few.isPresent("owner") && few.isNull("owner") && few.optionalID("owner") == nil)
        #expect(!few.isPresent("at") && !few.isNull("at") && few.optionalTimestamp("at") == nil)
        #expect(few.optionalFields("limits") == nil)
        #expect(Fields(nil, Self.described).integer("count") == 3)
    }
}
