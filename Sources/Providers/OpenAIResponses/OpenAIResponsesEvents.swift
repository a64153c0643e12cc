import Base
import HTTPWire
import JSON

/// The events of a response's stream, which are numbered.
struct OpenAIResponsesEvents: Sendable {
    /// Nothing is written, because only the whole response is wanted.
    let isSilent: Bool
    var output: [UInt8] = []
    private var sequence: Int

    init(isSilent: Bool, firstNumber: Int = 0) {
        self.isSilent = isSilent
        sequence = firstNumber
    }

    /// At which OpenAI's libraries throw.
    mutating func emit(_ problem: Problem, requestID: String) {
        let body = OpenAIProblem.body(problem, requestID: requestID)
        emit("error") { json in
            json.field("code", problem.code)
            json.field("message", problem.message)
            json.field("param", problem.field)
            json.field("error", ifPresent: (try? JSONDocument(parsing: body))?["error"])
        }
    }

    mutating func emit(_ type: String, _ body: (inout JSONWriter) -> Void) {
        if isSilent { return }
        var json = JSONWriter(capacity: 256)
        json.object { json in
            json.field("type", type)
            json.field("sequence_number", sequence)
            body(&json)
        }
        sequence += 1
        SSEWriter.append(event: type, data: json.bytes, to: &output)
    }

    mutating func emit(added item: [UInt8], at place: OpenAIResponsesPlace) {
        emit("response.output_item.added") { json in
            json.field("output_index", place.index)
            json.field("item", raw: item)
        }
    }

    mutating func emit(done item: [UInt8], at place: OpenAIResponsesPlace) {
        emit("response.output_item.done") { json in
            json.field("output_index", place.index)
            json.field("item", raw: item)
        }
    }
}

/// Where in the output an item is.
struct OpenAIResponsesPlace: Sendable {
    var index: Int
    var id: String

    /// As events name it that are about a part of the item.
    func write(_ json: inout JSONWriter) {
        json.field("item_id", id)
        json.field("output_index", index)
    }
}
