import Base
import Chat
import JSON

/// The response's object: the body of an answer, and part of the events that begin and end a stream.
struct OpenAIResponsesObject: Sendable {
    let context: ReplyContext
    let id: String
    /// As the provider names it, once it is known.
    var model: String
    var status = Status.inProgress
    /// The items in their order, as they are written.
    var output: [[UInt8]] = []
    var usage: ChatUsage?

    enum Status: Sendable {
        case inProgress
        case ended(ChatFinish.Reason)
        case failed(Problem)

        var name: String {
            switch self {
            case .inProgress: "in_progress"
            case .ended(.stop), .ended(.toolCalls): "completed"
            case .ended(.length), .ended(.contentFilter), .ended(.paused): "incomplete"
            case .failed: "failed"
            }
        }
    }

    init(_ context: ReplyContext) {
        self.context = context
        id = "resp_\(context.identifier)"
        model = context.request.model
    }

    func write(_ json: inout JSONWriter) {
        json.object { json in
            json.field("id", id)
            json.field("object", "response")
            json.field("created_at", Int(context.created.seconds))
            json.field("status", status.name)
            json.field("background", false)
            writeFault(&json)
            json.field("model", model)
            json.array("output") { json in
                for item in output { json.raw(item) }
            }
            json.key("usage")
            if let usage { usage.writeOpenAIResponses(&json) } else { json.null() }
            writeRequest(&json)
        }
    }

    private func writeFault(_ json: inout JSONWriter) {
        json.key("error")
        if case .failed(let problem) = status {
            json.object { json in
                json.field("code", Self.code(of: problem))
                json.field("message", problem.message)
            }
        } else {
            json.null()
        }
        json.key("incomplete_details")
        switch status {
        case .ended(.length): json.object { $0.field("reason", "max_output_tokens") }
        case .ended(.contentFilter): json.object { $0.field("reason", "content_filter") }
        case .ended, .inProgress, .failed: json.null()
        }
    }

    /// The format allows few codes, and clients act on them: some give up on `context_length_exceeded`, and some wait
    /// on `rate_limit_exceeded`.
    private static func code(of problem: Problem) -> String {
        switch problem.code {
        case "context_length_exceeded", "insufficient_quota", "invalid_prompt": problem.code
        default:
            switch problem.kind {
            case .rateLimited: "rate_limit_exceeded"
            case .paymentRequired: "insufficient_quota"
            case .invalidRequest, .tooLarge, .unsupportedMediaType, .unprocessable: "invalid_prompt"
            default: "server_error"
            }
        }
    }

    /// What the client has asked, as this dialect answers it.
    private func writeRequest(_ json: inout JSONWriter) {
        let request = context.request
        json.field("instructions", OpenAIResponsesRequestWriter.instructions(of: request))
        json.field("max_output_tokens", request.sampling.maximumTokens)
        json.key("metadata")
        request.hints.writeMetadata(&json)
        json.field("parallel_tool_calls", request.allowsParallelToolCalls ?? true)
        json.null("previous_response_id")
        json.field("prompt_cache_key", request.hints.promptCacheKey)
        json.object("reasoning") { json in
            json.field("effort", effort)
            json.field("summary", summary)
        }
        json.field("safety_identifier", request.hints.user)
        json.field("service_tier", request.hints.serviceTier)
        // Nothing can be fetched from us later.
        json.field("store", false)
        json.field("temperature", request.sampling.temperature)
        json.object("text") { json in
            json.key("format")
            request.output.writeOpenAIResponses(&json)
            json.field("verbosity", request.hints.verbosity)
        }
        json.key("tool_choice")
        (request.toolChoice ?? .auto).writeOpenAIResponses(among: request.tools, &json)
        json.array("tools") { json in
            for tool in request.tools { tool.writeOpenAIResponses(&json) }
        }
        json.field("top_p", request.sampling.topP)
        json.field("truncation", "disabled")
    }

    private var effort: String? {
        switch context.request.reasoning?.amount {
        case .effort(let effort): effort.rawValue
        case .off: "none"
        case .tokens, .adaptive, nil: nil
        }
    }

    private var summary: String? {
        guard let summary = context.request.reasoning?.summary, summary != .none else { return nil }
        return summary.rawValue
    }
}

extension ReplyContext {
    /// What ids are made of.
    var identifier: String { requestID.hasPrefix("req_") ? String(requestID.dropFirst(4)) : requestID }

    /// Ids of thoughts that the client has from us, and no provider knows, begin so.
    static let ownReasoning = "rs_hivegate_"
}
