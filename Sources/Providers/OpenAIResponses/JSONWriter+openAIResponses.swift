import Chat
import JSON

extension JSONWriter {
    /// A part that is nothing but text.
    mutating func writeText(_ text: String, type: String) {
        object { json in
            json.field("type", type)
            json.field("text", text)
        }
    }

    mutating func writeRefusal(_ text: String) {
        object { json in
            json.field("type", "refusal")
            json.field("refusal", text)
        }
    }
}

extension ChatText {
    /// As a part of an answer.
    func writeOpenAIResponses(_ json: inout JSONWriter) {
        json.object { json in
            json.field("type", "output_text")
            json.field("text", text)
            json.array("annotations") { json in
                for citation in citations { citation.writeOpenAIResponses(of: text, &json) }
            }
            json.array("logprobs") { _ in }
        }
    }
}

extension ChatTool {
    /// What another provider runs is written as that provider has it, so look before.
    func writeOpenAIResponses(_ json: inout JSONWriter) {
        switch kind {
        case .function(let function):
            json.object { json in
                json.field("type", "function")
                json.field("name", function.name)
                json.field("description", ifPresent: function.description)
                json.field("parameters", function.parameters)
                // Elsewhere a schema is not strict unless it says so; here it would be.
                json.field("strict", function.isStrict ?? false)
            }
        case .custom(let custom):
            json.object { json in
                json.field("type", "custom")
                json.field("name", custom.name)
                json.field("description", ifPresent: custom.description)
                json.field("format", ifPresent: custom.format)
            }
        case .provided(_, _, let value): json.value(value)
        }
    }
}

extension ChatToolChoice {
    func writeOpenAIResponses(among tools: [ChatTool], _ json: inout JSONWriter) {
        switch self {
        case .auto: json.value("auto")
        case .none: json.value("none")
        case .required: json.value("required")
        case .tool(let name):
            json.object { json in
                json.field("type", tools.hasCustom(name) ? "custom" : "function")
                json.field("name", name)
            }
        }
    }
}

extension [ChatTool] {
    /// Whether the tool `name` is called with text.
    func hasCustom(_ name: String) -> Bool {
        contains { tool in
            if case .custom(let custom) = tool.kind { custom.name == name } else { false }
        }
    }
}

extension ChatOutputFormat {
    func writeOpenAIResponses(_ json: inout JSONWriter) {
        json.object { json in
            switch self {
            case .text: json.field("type", "text")
            case .json: json.field("type", "json_object")
            case .schema(let schema):
                json.field("type", "json_schema")
                json.field("name", schema.name)
                json.field("description", ifPresent: schema.description)
                json.field("schema", schema.schema)
                json.field("strict", ifPresent: schema.isStrict)
            }
        }
    }
}
