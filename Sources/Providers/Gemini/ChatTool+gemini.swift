import Chat
import JSON

extension ChatTool {
    /// As a function; what the provider runs itself is none.
    func writeGemini(_ json: inout JSONWriter) {
        switch kind {
        case .function(let function):
            json.object { json in
                json.field("name", function.name)
                json.field("description", function.description ?? "")
                json.field("parametersJsonSchema", ifPresent: function.parameters)
            }
        case .custom(let custom):
            json.object { json in
                json.field("name", custom.name)
                json.field("description", custom.geminiDescription)
                // Functions are called with objects: the text is in one.
                json.object("parametersJsonSchema") { json in
                    json.field("type", "object")
                    json.object("properties") { json in
                        json.object("input") { $0.field("type", "string") }
                    }
                    json.array("required", ["input"])
                }
            }
        case .provided: break
        }
    }
}

extension ChatTool.Custom {
    /// The format of the text is a matter of trust here.
    fileprivate var geminiDescription: String {
        let description = description ?? ""
        guard let format else { return description }
        let text = String(decoding: format.bytes, as: UTF8.self)
        return "\(description)\(description.isEmpty ? "" : "\n\n")The input must have this format: \(text)"
    }
}
