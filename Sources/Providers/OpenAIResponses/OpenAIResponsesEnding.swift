import Chat
import JSON

/// How a response has ended, as its object says.
struct OpenAIResponsesEnding {
    private let response: JSONValue
    /// Where the object does not say: what the event says that it came in.
    private let statusOfEvent: String
    var hasToolCalls = false

    init(_ response: JSONValue, statusOfEvent: String = "completed") {
        self.response = response
        self.statusOfEvent = statusOfEvent
    }

    private var status: String { response["status"]?.string ?? statusOfEvent }

    /// nil while it goes on.
    var finish: ChatFinish? {
        switch status {
        case "completed": ChatFinish(hasToolCalls ? .toolCalls : .stop)
        case "incomplete":
            switch response["incomplete_details"]?["reason"]?.string {
            case nil: ChatFinish(.paused)
            case "content_filter": ChatFinish(.contentFilter)
            // Whatever else cut it short: it is not whole.
            default: ChatFinish(.length)
            }
        default: nil
        }
    }

    /// What went wrong instead.
    var fault: UpstreamFault? {
        let error = response["error"].present
        guard error != nil || status == "failed" || status == "cancelled" else { return nil }
        var fault =
            error.map { OpenAIFault.read($0, status: nil) }
            ?? UpstreamFault(.failed, "The response was \(status).")
        fault.usage = usage
        return fault
    }

    var usage: ChatUsage? { ChatUsage(openAIResponses: response["usage"]) }
}
