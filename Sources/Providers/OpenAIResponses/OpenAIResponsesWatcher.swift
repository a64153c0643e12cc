import Base
import Chat
import HTTPWire
import JSON

/// Looks at events on their way: for the usage, for failures and for the end.
struct OpenAIResponsesWatcher: StreamWatcher {
    private(set) var isWhole = false
    private(set) var usage: ChatUsage?
    private var lastNumber = -1
    /// What the response was when it began.
    private var response: JSONValue?

    /// The event that says that it is whole ends it.
    var end: [UInt8] { [] }

    mutating func see(_ name: [UInt8], _ document: JSONDocument) throws(UpstreamFault) -> Bool {
        guard let type = document["type"]?.text else { throw .garbled("an event without a type") }
        lastNumber = document["sequence_number"]?.int ?? lastNumber + 1
        switch type {
        case "response.created": response = document["response"]
        case "response.completed", "response.incomplete":
            isWhole = true
            usage = ChatUsage(openAIResponses: document["response"]?["usage"]) ?? usage
        case "response.failed":
            usage = ChatUsage(openAIResponses: document["response"]?["usage"]) ?? usage
            if let fault = document["response"].flatMap({
                OpenAIResponsesEnding($0, statusOfEvent: "failed").fault
            }) {
                throw fault
            }
        case "error": throw OpenAIFault.read(document["error"].present ?? document.root, status: nil)
        default: break
        }
        return true
    }

    /// An `error`, at which OpenAI's libraries throw, and a `response.failed`, from which agents learn what to do.
    func failure(_ problem: Problem, requestID: String) -> [UInt8] {
        var events = OpenAIResponsesEvents(isSilent: false, firstNumber: lastNumber + 1)
        events.emit(problem, requestID: requestID)
        guard let response else { return events.output }
        events.emit("response.failed") { json in
            json.object("response") { json in
                for member in response.members {
                    json.key(dynamic: member.key.string)
                    switch member.key {
                    case "status": json.value("failed")
                    case "error":
                        json.object { json in
                            json.field("code", "server_error")
                            json.field("message", problem.message)
                        }
                    default: json.value(member.value)
                    }
                }
            }
        }
        return events.output
    }
}
