import Base
import Chat
import JSON

/// Looks at events on their way: for the usage, for errors and for the end.
struct AnthropicWatcher: StreamWatcher {
    private(set) var isWhole = false
    private var told = AnthropicUsage()

    var usage: ChatUsage? { told.chat }
    /// The event that says that it is whole ends it.
    var end: [UInt8] { [] }

    func failure(_ problem: Problem, requestID: String) -> [UInt8] {
        AnthropicProblem.event(problem, requestID: requestID)
    }

    mutating func see(_ name: [UInt8], _ document: JSONDocument) throws(UpstreamFault) -> Bool {
        guard let type = document["type"]?.text else { throw .garbled("an event without a type") }
        switch type {
        case "message_start": try told.take(document["message"]?["usage"])
        case "message_delta": try told.take(document["usage"])
        case "message_stop": isWhole = true
        case "error":
            throw AnthropicFault.read(try ReplyField.object(document["error"], "error"), usage: told.chat)
        default: break
        }
        return true
    }
}
