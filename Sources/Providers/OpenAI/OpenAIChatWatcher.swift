import Base
import Chat
import JSON

/// Looks at chunks on their way: for the usage, for errors and for the end.
struct OpenAIChatWatcher: StreamWatcher {
    /// Whether the client has asked for the usage, which we always ask for.
    let showsUsage: Bool
    private(set) var isWhole = false
    private(set) var usage: ChatUsage?

    init(showsUsage: Bool) { self.showsUsage = showsUsage }

    var end: [UInt8] { OpenAIChatStreamEncoder.done }

    func failure(_ problem: Problem, requestID: String) -> [UInt8] {
        OpenAIProblem.event(problem, requestID: requestID)
    }

    mutating func see(_ name: [UInt8], _ document: JSONDocument) throws(UpstreamFault) -> Bool {
        guard document.root.kind == .object else { throw .garbled("a chunk is no object") }
        var (hasChoice, told) = (true, ChatUsage?.none)
        for member in document.root.members {
            switch member.key {
            case "choices":
                let choice = member.value.element(0)
                hasChoice = choice != nil
                if let reason = choice?["finish_reason"], !reason.isNull {
                    if reason.stringEquals("error") { continue }
                    isWhole = true
                }
                if let usage = choice?["usage"] { told = told ?? OpenAIUsage.read(usage) }
            case "usage": told = OpenAIUsage.read(member.value) ?? told
            case "x_groq": told = told ?? member.value["usage"].flatMap(OpenAIUsage.read)
            case "error" where !member.value.isNull:
                throw OpenAIFault.read(member.value, status: nil)
            default: break
            }
        }
        guard let told else { return true }
        usage = told
        return showsUsage || hasChoice
    }
}
