import JSON
import Providers
import Testing

struct SandboxValueTests {
    private static func schema(_ text: String) throws -> JSONSchema {
        try JSONSchema(JSONDocument(parsing: Array(text.utf8)).root)
    }

    @Test(arguments: [
        #"{"type":"object","properties":{"a":{"type":"array","items":{"enum":["x","y"]},"minItems":3}},"required":["a"]}"#,
        #"{"anyOf":[{"type":"string","maxLength":2,"minLength":3},{"type":"integer","multipleOf":7,"minimum":15}]}"#,
        ##"{"type":"object","properties":{"value":{"type":"integer"},"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},"required":["value","next"],"additionalProperties":false}"##,
        #"{"type":"string","pattern":"^[A-Z]{2}-\\d{4}$"}"#,
        #"{"allOf":[{"type":"object","properties":{"a":{"type":"number","exclusiveMinimum":0.5,"maximum":0.75}}},{"required":["a"]}]}"#,
        #"{"type":"array","prefixItems":[{"type":"string"},{"const":null}],"items":false,"minItems":2}"#,
        #"{"type":"array","uniqueItems":true,"minItems":3,"items":{"type":"string","maxLength":9}}"#,
        #"{"oneOf":[{"type":"object","properties":{"kind":{"const":"a"}},"required":["kind"]},{"type":"object","properties":{"kind":{"const":"b"}},"required":["kind"]}]}"#,
        #"{"type":["null","string"],"format":"date"}"#,
        #"{"type":"object","minProperties":2,"additionalProperties":{"type":"boolean"}}"#,
        #"{"not":{"type":"string"}}"#,
        #"{"if":{"properties":{"a":{"const":1}},"required":["a"]},"then":{"required":["b"]},"properties":{"a":{"const":1}},"required":["a"]}"#,
        #"{"type":"number","multipleOf":0.01,"minimum":19.98,"exclusiveMaximum":20}"#,
        #"{"contains":{"const":5},"type":"array"}"#,
        "true",
    ])
    func `a value is made that fits, and always the same`(text: String) throws {
        let schema = try Self.schema(text)
        let value = try #require(SandboxValue.text(fitting: schema, seed: 4), "\(text)")
        #expect(try schema.takes(JSONDocument(parsing: Array(value.utf8)).root))
        #expect(SandboxValue.text(fitting: schema, seed: 4) == value)
    }

    @Test(arguments: [
        "false", #"{"type":"string","const":1}"#, #"{"type":"integer","minimum":2,"maximum":1}"#,
        ##"{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}"##,
        #"{"type":"array","minItems":2,"maxItems":1}"#,
    ])
    func `where nothing fits, or only what has no end, nothing is said`(text: String) throws {
        #expect(SandboxValue.text(fitting: try Self.schema(text)) == nil)
    }
}
