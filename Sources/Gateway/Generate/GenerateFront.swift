import Base
import Chat
import HTTPWire
import JSON
import Providers

/// Clients that ask in our own way.
///
/// The fields that OpenAI's chat dialect has too mean what they mean there.
struct GenerateFront: ChatFront {
    let framing: GenerateFraming

    init(_ framing: GenerateFraming = .events) { self.framing = framing }

    var dialect: ChatDialect { .hivegate }

    /// Everything is checked here: what is wrong is said at once, before anything is looked up.
    func outline(_ document: JSONDocument) throws(Problem) -> ChatOutline {
        let (_, faults) = Self.read(document.root, framing)
        if !faults.isEmpty { throw Problem(faults: faults) }
        let root = document.root
        return ChatOutline(
            model: root["model"]?.string ?? "", isStreaming: framing.isSocket || root["stream"]?.bool == true)
    }

    func request(_ document: JSONDocument) throws(Problem) -> ChatRequest {
        let (request, faults) = Self.read(document.root, framing)
        if !faults.isEmpty { throw Problem(faults: faults) }
        return request
    }

    func boundsOfText(_ document: JSONDocument) -> AnswerBounds? {
        OpenAIChatFront.boundsOfText(document.root)
    }

    /// Whether an answer that does not fit may be asked for once more.
    func mayRepair(_ document: JSONDocument) -> Bool { document["repair"]?.bool ?? true }

    func body(_ reply: ChatReply, _ context: ReplyContext) -> [UInt8] {
        GenerateWriter.answer(reply, context)
    }

    func streamEncoder(_ context: ReplyContext) -> any ChatStreamEncoder {
        GenerateStreamEncoder(context, framing)
    }

    func body(_ problem: Problem, requestID: String) -> [UInt8] {
        GenerateWriter.problem(problem, requestID: requestID)
    }

    var forwardedFields: [String] { [] }
    var answerLimitFields: [String] { ["max_tokens"] }

    var keepAlive: [UInt8] {
        var comment: [UInt8] = []
        // A socket has pings of its own.
        if !framing.isSocket { SSEWriter.append(comment: "keep-alive", to: &comment) }
        return comment
    }

    // MARK: Requests

    private static func read(
        _ root: JSONValue, _ framing: GenerateFraming
    ) -> (ChatRequest, [Problem.Fault]) {
        let empty = ChatRequest(model: "", messages: [])
        guard root.kind == .object else { return (empty, [.init("", "the body must be a JSON object")]) }
        if root["messages"].present != nil, root["prompt"].present != nil {
            return (empty, [.init("prompt", "cannot be given together with messages")])
        }
        let isPrompt = root["messages"].present == nil
        var faults = (isPrompt ? GenerateSchemas.ofPrompt : GenerateSchemas.ofMessages).faults(of: root)
        if isPrompt, root["prompt"] == nil {
            faults = faults.map { $0.field == "prompt" ? .init("prompt", "is required, or messages") : $0 }
        }
        if framing.isSocket, root["stream"]?.bool == false {
            faults.append(.init("stream", "cannot be false: a socket always streams"))
        }
        faults += schemaFaults(of: root)
        // Its words are OpenAI's only where its shape is ours.
        if !faults.isEmpty { return (empty, faults) }
        var (request, others) = OpenAIChatFront.read(asChat(root))
        faults += others
        request.messages = request.messages.enumerated().map { index, message in
            GenerateMessage.read(message, "messages[\(index)]", &faults)
        }
        // A conversation goes on with what its model thought.
        if let amount = request.reasoning?.amount, amount != .off { request.reasoning?.wantsSeal = true }
        if let system = root["system"].present?.string {
            request.messages.insert(ChatMessage(role: .system, text: system), at: 0)
        }
        if let schema = root["schema"].present {
            request.output = .schema(ChatOutputFormat.Schema(name: "answer", schema: schema))
        }
        request.isStreaming = framing.isSocket || request.isStreaming
        request.includesUsage = true
        return (request, faults)
    }

    private static func schemaFaults(of root: JSONValue) -> [Problem.Fault] {
        var reader = RequestReader()
        _ = reader.schema(root["schema"], "schema")
        if let tools = root["tools"], tools.kind == .array {
            for (index, tool) in tools.elements.enumerated() {
                _ = reader.schema(
                    tool["function"]?["parameters"], "tools[\(index)].function.parameters")
            }
        }
        return reader.faults
    }

    /// The request in OpenAI's words.
    private static func asChat(_ root: JSONValue) -> JSONValue {
        var json = JSONWriter(capacity: root.bytes.count + 100)
        json.object { json in
            for member in root.members {
                switch member.key {
                case "system", "schema", "repair", "fetch_images", "models", "provider": continue
                case "prompt":
                    guard let prompt = member.value.string else { continue }
                    json.array("messages") { json in
                        json.object { json in
                            json.field("role", "user")
                            json.field("content", prompt)
                        }
                    }
                default:
                    json.key(dynamic: member.key.string)
                    json.value(member.value)
                }
            }
        }
        do throws(JSONError) { return try JSONDocument(parsing: json.bytes).root } catch {
            preconditionFailure("members of a document are one: \(error)")
        }
    }
}
