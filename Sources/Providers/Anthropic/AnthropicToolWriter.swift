import Chat
import JSON

/// Writes what a model may call.
enum AnthropicToolWriter {
    static func write(
        _ tool: ChatTool, _ field: String, to json: inout JSONWriter
    ) throws(UpstreamRequest.Unsayable) {
        switch tool.kind {
        case .function(let function):
            json.object { json in
                json.field("name", function.name)
                json.field("description", ifPresent: function.description)
                json.key("input_schema")
                writeObjectSchema(function.parameters, to: &json)
                json.field("strict", ifPresent: function.isStrict)
                AnthropicCacheControl.write(tool.cache, to: &json)
            }
        case .custom(let custom):
            json.object { json in
                json.field("name", custom.name)
                json.field("description", ifPresent: description(of: custom))
                json.key("input_schema")
                writeTextSchema(to: &json)
                AnthropicCacheControl.write(tool.cache, to: &json)
            }
        case .provided(.anthropic, _, let value): json.value(value)
        case .provided(_, let type, _):
            throw UpstreamRequest.Unsayable(field, "\(type) is run by another provider than this model's")
        }
    }

    /// A schema must say that it is one of an object; other providers take that for granted.
    static func writeObjectSchema(_ schema: JSONValue?, to json: inout JSONWriter) {
        if let schema, schema.kind == .object, schema["type"] != nil { return json.value(schema) }
        json.object { json in
            json.field("type", "object")
            if let schema {
                for member in schema.members {
                    json.key(dynamic: member.key.string)
                    json.value(member.value)
                }
            } else {
                json.object("properties") { _ in }
            }
        }
    }

    /// A tool that takes text is offered as one that takes an object with that text.
    static func writeTextSchema(to json: inout JSONWriter) {
        json.object { json in
            json.field("type", "object")
            json.object("properties") { json in
                json.object("input") { $0.field("type", "string") }
            }
            json.array("required", ["input"])
        }
    }

    /// The grammar of the text cannot be enforced, but it can be told.
    static func description(of custom: ChatTool.Custom) -> String? {
        let grammar = custom.format?["grammar"] ?? custom.format
        guard let definition = grammar?["definition"]?.string else { return custom.description }
        let rule = "The input must follow this grammar:\n\(definition)"
        return custom.description.map { "\($0)\n\n\(rule)" } ?? rule
    }

    static func write(
        _ choice: ChatToolChoice?, allowsParallelCalls: Bool?, to json: inout JSONWriter
    ) {
        if choice == nil && allowsParallelCalls != false { return }
        json.object("tool_choice") { json in
            switch choice {
            case .auto, nil: json.field("type", "auto")
            case .required: json.field("type", "any")
            case .tool(let name):
                json.field("type", "tool")
                json.field("name", name)
            case .some(.none):
                // Takes no other member.
                return json.field("type", "none")
            }
            if let allowsParallelCalls { json.field("disable_parallel_tool_use", !allowsParallelCalls) }
        }
    }
}
