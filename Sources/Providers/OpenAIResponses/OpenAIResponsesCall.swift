import JSON

/// The call of a tool on its way to a client.
struct OpenAIResponsesCall: Sendable {
    let place: OpenAIResponsesPlace
    private let id: String
    private let name: String
    /// Called with text.
    private let isCustom: Bool
    /// Whether that text comes as `{"input": "…"}`, and so can be written only when it is whole.
    private let isWrapped: Bool
    private var arguments = ""

    init(
        _ place: OpenAIResponsesPlace, id: String, name: String, isCustom: Bool, isWrapped: Bool,
        _ events: inout OpenAIResponsesEvents
    ) {
        self.place = place
        self.id = id
        self.name = name
        self.isCustom = isCustom
        self.isWrapped = isWrapped
        events.emit(added: item("", status: "in_progress"), at: place)
    }

    mutating func argue(_ text: String, _ events: inout OpenAIResponsesEvents) {
        arguments += text
        if !isWrapped { emit(delta: text, &events) }
    }

    /// The whole item.
    func end(isWhole: Bool, _ events: inout OpenAIResponsesEvents) -> [UInt8] {
        let arguments = isWrapped ? unwrapped : arguments
        if isWrapped { emit(delta: arguments, &events) }
        events.emit(
            isCustom ? "response.custom_tool_call_input.done" : "response.function_call_arguments.done"
        ) { json in
            place.write(&json)
            if isCustom {
                json.field("input", arguments)
            } else {
                json.field("name", name)
                json.field("arguments", arguments)
            }
        }
        let item = item(arguments, status: isWhole ? "completed" : "incomplete")
        events.emit(done: item, at: place)
        return item
    }

    private func emit(delta: String, _ events: inout OpenAIResponsesEvents) {
        if delta.isEmpty { return }
        events.emit(
            isCustom ? "response.custom_tool_call_input.delta" : "response.function_call_arguments.delta"
        ) { json in
            place.write(&json)
            json.field("delta", delta)
        }
    }

    /// What is no such object is the text itself.
    private var unwrapped: String {
        let document = try? JSONDocument(parsing: Array(arguments.utf8))
        return document?["input"]?.string ?? arguments
    }

    private func item(_ arguments: String, status: String) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("id", place.id)
            json.field("type", isCustom ? "custom_tool_call" : "function_call")
            json.field("status", status)
            json.field("call_id", id)
            json.field("name", name)
            if isCustom { json.field("input", arguments) } else { json.field("arguments", arguments) }
        }
        return json.bytes
    }
}
