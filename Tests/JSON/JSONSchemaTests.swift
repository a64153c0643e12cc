import Testing

@testable import JSON

struct JSONSchemaTests {
    private static func schema(_ text: String) throws -> JSONSchema {
        try JSONSchema(try parse(text).root)
    }

    private static func faults(_ schema: String, _ value: String) throws -> [JSONSchema.Fault] {
        try self.schema(schema).faults(of: try parse(value).root)
    }

    /// What is wrong with a schema, place and reason in one line each.
    private static func refusal(_ text: String) throws -> [String] {
        do throws(JSONSchema.Faults) {
            _ = try JSONSchema(parsed(text))
            return []
        } catch {
            return error.faults.map { "\($0.pointer): \($0.message)" }
        }
    }

    private static func parsed(_ text: String) -> JSONValue {
        do { return try parse(text).root } catch { preconditionFailure("\(error)") }
    }

    @Test(arguments: [
        ("true", ["null", "{}"], []),
        ("{}", ["1", #""a""#], []),
        ("false", [], ["null", "1"]),
        (
            #"{"type":"integer"}"#, ["1", "-0", "1.0", "1e3", "12345678901234567890123"],
            ["1.5", #""1""#, "null", "1e-1"]
        ),
        (#"{"type":"number"}"#, ["1", "1.5"], [#""1""#, "true"]),
        (#"{"type":"string"}"#, [#""""#], ["1", "{}"]),
        (#"{"type":"object"}"#, ["{}"], ["[]"]),
        (#"{"type":"array"}"#, ["[]"], ["{}"]),
        (#"{"type":"boolean"}"#, ["true", "false"], ["0", "null"]),
        (#"{"type":"null"}"#, ["null"], ["0", "false", #""""#]),
        (#"{"type":["string","null"]}"#, [#""a""#, "null"], ["1"]),
    ])
    func `types are what JSON says they are`(schema: String, fits: [String], misfits: [String]) throws {
        try check(schema, fits, misfits)
    }

    @Test(arguments: [
        (
            #"{"enum":[1,"a",null,[1,{"b":2}]]}"#, ["1.0", #""a""#, "null", #"[1,{"b":2.0}]"#],
            ["2", "[1]", #""b""#, "true"]
        ),
        (#"{"enum":[false]}"#, ["false"], ["0", "null"]),
        (#"{"const":{"a":[1],"b":2}}"#, [#"{"b":2,"a":[1]}"#], [#"{"a":[1]}"#, "{}"]),
        (#"{"const":"é"}"#, [#""é""#, #""\u00e9""#], [#""e\u0301""#]),
        (#"{"const":1,"enum":[1,2]}"#, ["1"], ["2"]),
    ])
    func `constants are compared by value`(schema: String, fits: [String], misfits: [String]) throws {
        try check(schema, fits, misfits)
    }

    @Test(arguments: [
        (#"{"minimum":1.1}"#, ["1.1", "1.10", #""a""#], ["1.09999999999999999999", "-1"]),
        (#"{"exclusiveMinimum":1}"#, ["1.00000000000000000000001"], ["1", "1.0"]),
        (#"{"maximum":300}"#, ["300", "3e2"], ["300.0000000000000000001", "1e400"]),
        (#"{"exclusiveMaximum":0}"#, ["-1e-400"], ["0", "-0.0"]),
        (#"{"minimum":1,"exclusiveMinimum":1}"#, ["2"], ["1"]),
        (#"{"multipleOf":0.01}"#, ["0.07", "19.99", "1e308", "-3.14", "0"], ["0.075", "1e-3"]),
        (#"{"multipleOf":2}"#, ["4", "-10", "1e1000"], ["7", "1.0000000000000000001"]),
        (#"{"multipleOf":1.5}"#, ["4.5", "3e0"], ["4", "35"]),
        (#"{"multipleOf":0.0001}"#, ["0.0075"], ["0.00751"]),
        (#"{"multipleOf":123456789}"#, ["1234567890000", "15241578750190521"], ["15241578750190520"]),
    ])
    func `numbers are compared by their decimals`(schema: String, fits: [String], misfits: [String]) throws {
        try check(schema, fits, misfits)
    }

    @Test(arguments: [
        (#"{"minLength":2,"maxLength":3}"#, [#""ab""#, #""💩💩""#, "1"], [#""💩""#, #""abcd""#]),
        (#"{"pattern":"^a*$"}"#, [#""aaa""#, #""""#, "1"], [#""ab""#]),
        (#"{"pattern":"a+"}"#, [#""xxaayy""#], [#""b""#]),
        (
            #"{"pattern":"^\\d{4}-\\d{2}$"}"#, [#""2026-11""#],
            [#""२०२६-११""#, #""12026-11""#, #""2026-11\n""#]
        ),
        (#"{"pattern":"^(?:[A-Z][a-z]+\\s?){2,}$"}"#, [#""Ada Lovelace""#], [#""ada""#, #""Ada""#]),
        (#"{"pattern":"\\bcat\\b"}"#, [#""a cat.""#], [#""concat""#]),
        (#"{"pattern":"^[\\w.+-]+@[^@\\s]+$"}"#, [#""a.b@c""#], [#""a@""#, #""a b@c""#]),
        (#"{"pattern":"^.$"}"#, [#""💩""#], [#""\n""#, #""ab""#]),
        (#"{"pattern":"[]"}"#, [], [#""a""#]),
        (#"{"pattern":"^a{0}b{,2}$"}"#, [#""b{,2}""#], [#""bb""#]),
        (#"{"format":"email"}"#, [#""no""#], []),
    ])
    func `texts are counted in code points and matched anywhere`(
        schema: String, fits: [String], misfits: [String]
    ) throws { try check(schema, fits, misfits) }

    @Test(arguments: [
        (
            #"{"properties":{"a":{"type":"integer"},"b":{}},"required":["a"]}"#,
            [#"{"a":1}"#, #"{"a":1,"c":2}"#, "[]", "1"], ["{}", #"{"a":"x"}"#]
        ),
        (
            #"{"properties":{"a":{}},"additionalProperties":false}"#, [#"{"a":1}"#, "{}"], [#"{"b":1}"#]
        ),
        (#"{"additionalProperties":{"type":"boolean"}}"#, [#"{"x":true}"#], [#"{"x":1}"#]),
        (
            #"{"patternProperties":{"^x":{"type":"integer"}},"additionalProperties":false}"#, [#"{"x1":1}"#],
            [#"{"x1":"a"}"#, #"{"y":1}"#]
        ),
        (#"{"propertyNames":{"maxLength":2}}"#, [#"{"ab":1}"#], [#"{"abc":1}"#]),
        (#"{"minProperties":1,"maxProperties":2}"#, [#"{"a":1}"#], ["{}", #"{"a":1,"b":1,"c":1}"#]),
        (#"{"properties":{"a":false}}"#, ["{}"], [#"{"a":1}"#]),
        (#"{"properties":{"é":{"type":"string"}}}"#, [#"{"e\u0301":1}"#], [#"{"\u00e9":1}"#]),
        (#"{"properties":{"__proto__":{"type":"number"}}}"#, [#"{"__proto__":1}"#], [#"{"__proto__":"a"}"#]),
        (#"{"dependentRequired":{"a":["b"]}}"#, [#"{"a":1,"b":1}"#, #"{"b":1}"#], [#"{"a":1}"#]),
        (
            #"{"dependentSchemas":{"a":{"maxProperties":1}}}"#, [#"{"a":1}"#, #"{"b":1,"c":1}"#],
            [#"{"a":1,"b":1}"#]
        ),
    ])
    func `objects have the properties that they should`(
        schema: String, fits: [String], misfits: [String]
    ) throws { try check(schema, fits, misfits) }

    @Test(arguments: [
        (#"{"items":{"type":"integer"}}"#, ["[]", "[1,2]", "{}"], [#"[1,"a"]"#]),
        (#"{"prefixItems":[{"type":"integer"},{"type":"string"}]}"#, ["[1]", #"[1,"a",null]"#], [#"["a"]"#]),
        (#"{"prefixItems":[{}],"items":false}"#, ["[1]", "[]"], ["[1,2]"]),
        (#"{"minItems":1,"maxItems":2}"#, ["[1]", "[1,2]"], ["[]", "[1,2,3]"]),
        (
            #"{"uniqueItems":true}"#, ["[1,true,0,false]", "[[1],[2]]"],
            ["[1,1.0]", #"[{"a":1,"b":2},{"b":2,"a":1}]"#]
        ),
        (#"{"uniqueItems":false}"#, ["[1,1]"], []),
        (#"{"contains":{"const":1}}"#, ["[0,1]"], ["[]", "[0]"]),
        (#"{"contains":{"const":1},"minContains":2,"maxContains":2}"#, ["[1,1]"], ["[1]", "[1,1,1]"]),
        (#"{"contains":{"const":1},"minContains":0}"#, ["[]"], []),
    ])
    func `arrays have the elements that they should`(schema: String, fits: [String], misfits: [String]) throws
    { try check(schema, fits, misfits) }

    @Test(arguments: [
        (#"{"anyOf":[{"type":"integer"},{"minimum":2}]}"#, ["1", "2.5"], ["1.5"]),
        (#"{"oneOf":[{"type":"integer"},{"minimum":2}]}"#, ["1", "2.5"], ["3", "1.5"]),
        (#"{"allOf":[{"minimum":1},{"maximum":3}],"multipleOf":2}"#, ["2"], ["1", "4", "0"]),
        (#"{"not":{"type":"integer"}}"#, ["1.5"], ["1"]),
        (#"{"not":{"not":{"type":"integer"}}}"#, ["1"], ["1.5"]),
        (
            #"{"if":{"minimum":10},"then":{"multipleOf":10},"else":{"multipleOf":3}}"#, ["20", "9"],
            ["11", "4"]
        ),
        (#"{"then":false,"else":false}"#, ["1"], []),
        (##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"integer"}},"minimum":3}"##, ["3"], ["2", "3.5"]),
        (
            ##"{"properties":{"a/b":{},"c~d%":{"type":"null"},"e":{"$ref":"#/properties/c~0d%25"},"f":{"$ref":"#/properties/a~1b"}}}"##,
            [##"{"e":null,"f":1}"##], [##"{"e":1}"##]
        ),
        (
            ##"{"anyOf":[{"type":"null"},{"type":"object","properties":{"next":{"$ref":"#"}},"required":["next"]}]}"##,
            ["null", ##"{"next":{"next":null}}"##], [##"{"next":{"next":1}}"##, "{}"]
        ),
        (#"{"properties":{"$ref":{"type":"string"}}}"#, [#"{"$ref":"a"}"#], [#"{"$ref":1}"#]),
        (
            #"{"title":1,"description":[],"default":7,"nullable":true,"x-mine":{"type":"no"},"type":"string"}"#,
            [#""a""#], ["null"]
        ),
    ])
    func `schemas are combined`(schema: String, fits: [String], misfits: [String]) throws {
        try check(schema, fits, misfits)
    }

    private func check(_ schema: String, _ fits: [String], _ misfits: [String]) throws {
        for value in fits { #expect(try Self.faults(schema, value).isEmpty, "\(schema) \(value)") }
        for value in misfits { #expect(try !Self.faults(schema, value).isEmpty, "\(schema) \(value)") }
    }

    @Test func `every fault is told, with its place`() throws {
        let schema = #"""
            {"type":"object","properties":{"a":{"type":"integer"},"b":{"items":{"enum":["x","y"]}},"c/d":{}},
            "required":["a","c/d"],"additionalProperties":false}
            """#
        let faults = try Self.faults(schema, #"{"b":["x","z"],"a":"1","e":1}"#)
        #expect(
            faults.map { "\($0.pointer) \($0.message)" } == [
                #"/b/1 must be one of "x", "y""#, "/a must be an integer", "/e is not known here",
                "/c~1d is required",
            ])
    }

    @Test func `what the only fitting alternative misses is what is wrong`() throws {
        let schema =
            ##"{"anyOf":[{"type":"null"},{"$ref":"#/$defs/a"}],"$defs":{"a":{"type":"object","required":["x"]}}}"##
        #expect(try Self.faults(schema, "{}") == [.init("/x", "is required")])
        #expect(try Self.faults(schema, "1") == [.init("", "must fit one of 2 schemas and fits none")])
    }

    @Test(arguments: [
        ("1", ": must be an object, or true or false"),
        (
            #"{"type":"text"}"#,
            #"/type: must be one of "null", "boolean", "object", "array", "number", "string", "integer", or a list of them"#
        ),
        (
            #"{"properties":{"a":{"type":[]}}}"#,
            #"/properties/a/type: must be one of "null", "boolean", "object", "array", "number", "string", "integer", or a list of them"#
        ),
        (#"{"properties":[]}"#, "/properties: must be an object"),
        (#"{"required":"a"}"#, "/required: must be a list of strings"),
        (#"{"items":[{}]}"#, "/items: must be one schema; a list of them is called prefixItems"),
        (#"{"anyOf":[]}"#, "/anyOf: must not be empty"),
        (#"{"anyOf":[{"minLength":-1}]}"#, "/anyOf/0/minLength: must be a whole number that is not negative"),
        (#"{"exclusiveMinimum":true}"#, "/exclusiveMinimum: must be a number"),
        (#"{"multipleOf":0}"#, "/multipleOf: must be more than 0"),
        (
            ##"{"$ref":"https://example.com/schema"}"##,
            ##"/$ref: must begin with "#": other documents are not read"##
        ),
        (##"{"$ref":"#/$defs/none"}"##, "/$ref: leads to nothing"),
        (##"{"$ref":"#"}"##, ": refers to itself without end"),
        (
            ##"{"allOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"}]}}}"##,
            ": refers to itself without end"
        ),
        (#"{"pattern":"(?=a)b"}"#, "/pattern: looks ahead or behind, which is not supported"),
        (#"{"pattern":"a(b"}"#, "/pattern: is no regular expression"),
        (#"{"pattern":"(a{1000}){1000}"}"#, "/pattern: is too large"),
        (#"{"unevaluatedProperties":false}"#, "/unevaluatedProperties: is not supported"),
    ])
    func `what is no schema is refused at its place`(schema: String, fault: String) throws {
        #expect(try Self.refusal(schema) == [fault])
    }

    // MARK: Bombs

    @Test func `alternatives that multiply are given up`() throws {
        let schema = try Self.schema(
            ##"{"anyOf":[{"properties":{"a":{"$ref":"#"}},"required":["a","x"]},{"properties":{"a":{"$ref":"#"}},"required":["a","y"]}]}"##
        )
        let deep = String(repeating: #"{"a":"#, count: 60) + "1" + String(repeating: "}", count: 60)
        let faults = schema.faults(of: try parse(deep).root)
        #expect(faults.last?.message.hasPrefix("is too much to be checked") == true)
    }

    @Test func `references that double with each step are given up`() throws {
        var definitions: [String] = []
        for level in 0..<40 {
            definitions.append(
                ##""d\##(level)":{"allOf":[{"$ref":"#/$defs/d\##(level + 1)"},{"$ref":"#/$defs/d\##(level + 1)"}]}"##
            )
        }
        definitions.append(#""d40":{"minimum":1}"#)
        // Each definition is two schemas deep.
        let faults = try Self.refusal(
            ##"{"$ref":"#/$defs/d0","$defs":{\##(definitions.joined(separator: ","))}}"##)
        #expect(faults == [": nests more than 48 schemas for one value"])
        let schema = try Self.schema(
            ##"{"$ref":"#/$defs/d20","$defs":{\##(definitions[20...].joined(separator: ","))}}"##)
        #expect(!schema.takes(try parse("1").root))
    }

    @Test func `a list in which all are to differ, and a pattern that ruins others, take no time`() throws {
        let list = "[" + (0..<50_000).map { "\($0)" }.joined(separator: ",") + "]"
        #expect(try Self.schema(#"{"uniqueItems":true}"#).takes(try parse(list).root))
        let text = "\"" + String(repeating: "a", count: 50_000) + "!\""
        #expect(try !Self.schema(#"{"pattern":"^(a+)+$"}"#).takes(try parse(text).root))
    }

    @Test func `more faults than anybody reads are not told`() throws {
        let list = "[" + (0..<5000).map { "\($0)" }.joined(separator: ",") + "]"
        #expect(try Self.faults(#"{"items":{"type":"string"}}"#, list).count == JSONSchema.largestFaultCount)
    }

    @Test func `a schema of too many parts is none`() throws {
        let parts = (0..<JSONSchema.largestNodeCount + 5).map { _ in "{}" }.joined(separator: ",")
        #expect(try Self.refusal(#"{"anyOf":[\#(parts)]}"#).first?.hasPrefix("/anyOf/") == true)
    }
}
