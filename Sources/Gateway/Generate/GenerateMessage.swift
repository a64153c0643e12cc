import Base
import Chat
import JSON
import Providers

/// A model's answer as a message, which clients hand back as it is: its parts in their order, and what it calls.
///
/// Thoughts are parts of their own there. Some providers seal them and want them back, byte for byte: `seal` is opaque,
/// and leads back to the provider that made it whoever is asked meanwhile. One that belongs to a call names it.
enum GenerateMessage {
    private static let thought = "reasoning"

    // MARK: Writing

    static func write(_ parts: [ChatPart], to json: inout JSONWriter) {
        let calls = calls(thoughtOfBy: parts)
        let hasCalls = parts.contains { $0.isCall }
        json.object { json in
            json.field("role", "assistant")
            json.array("content") { json in
                for (index, part) in parts.enumerated() {
                    write(part, callID: calls[index], to: &json)
                    // What seals a part that says nothing is not to seal the first call, which will follow on it.
                    if hasCalls, calls[index] == nil, part.isBareSeal, !parts[(index + 1)...].hasContent {
                        write(.text(""), callID: nil, to: &json)
                    }
                }
            }
            guard hasCalls else { return }
            json.array("tool_calls") { json in
                for case .toolCall(let call) in parts.map(\.content) {
                    GenerateWriter.write(call, to: &json)
                }
            }
        }
    }

    private static func write(_ part: ChatPart, callID: String?, to json: inout JSONWriter) {
        switch part.content {
        case .text(let text):
            json.object { json in
                json.field("type", "text")
                json.field("text", text.text)
            }
        case .refusal(let text):
            json.object { json in
                json.field("type", "refusal")
                json.field("refusal", text)
            }
        case .reasoning(let reasoning):
            json.object { json in
                json.field("type", thought)
                json.field("text", reasoning.text)
                if reasoning.isSummary { json.field("is_summary", true) }
                json.field("seal", ifPresent: reasoning.seal.map(ForeignSeal.wrap))
                json.field("tool_call_id", ifPresent: callID)
            }
        case .media(let media):
            guard media.kind == .image, let url = media.url else { return }
            json.object { json in
                json.field("type", "image_url")
                json.object("image_url") { $0.field("url", url) }
            }
        case .toolCall, .toolResult, .opaque: break
        }
    }

    /// Of the thoughts that came directly before a call: its identifier. Calls are apart from all that was said.
    private static func calls(thoughtOfBy parts: [ChatPart]) -> [Int: String] {
        var calls: [Int: String] = [:]
        var thoughts: [Int] = []
        for (index, part) in parts.enumerated() {
            switch part.content {
            case .reasoning: thoughts.append(index)
            case .toolCall(let call):
                for thought in thoughts { calls[thought] = call.id }
                thoughts = []
            default: thoughts = []
            }
        }
        return calls
    }

    // MARK: Reading

    /// `message`, in whose place `field` says it is, with its thoughts as what they are.
    static func read(
        _ message: ChatMessage, _ field: String, _ faults: inout [Problem.Fault]
    ) -> ChatMessage {
        var ofCalls: [String: [ChatPart]] = [:]
        let callIDs = Set(message.parts.compactMap(\.callID))
        var said: [ChatPart] = []
        for part in message.parts {
            guard case .opaque(.openAIChat, thought, let value) = part.content else {
                said.append(part)
                continue
            }
            guard message.role == .assistant else {
                faults.append(
                    .init("\(field).content", "may hold thoughts in a message of the assistant only"))
                continue
            }
            guard let thought = read(thought: value, field, &faults) else { continue }
            if let id = value["tool_call_id"]?.string, callIDs.contains(id) {
                ofCalls[id, default: []].append(thought)
            } else {
                said.append(thought)
            }
        }
        var message = message
        message.parts = said.flatMap { part in
            (part.callID.flatMap { ofCalls.removeValue(forKey: $0) } ?? []) + [part]
        }
        return message
    }

    private static func read(
        thought value: JSONValue, _ field: String, _ faults: inout [Problem.Fault]
    ) -> ChatPart? {
        var reasoning = ChatReasoning(
            value["text"]?.string ?? "", isSummary: value["is_summary"]?.bool ?? false)
        if let text = value["seal"].present?.string {
            guard let seal = ForeignSeal.unwrap(text) else {
                faults.append(
                    .init("\(field).content", "has a seal that is not as an answer gave it; leave it out"))
                return nil
            }
            reasoning.seal = seal
        }
        return ChatPart(.reasoning(reasoning))
    }
}

extension ChatPart {
    fileprivate var isCall: Bool { callID != nil }

    fileprivate var callID: String? {
        if case .toolCall(let call) = content { call.id } else { nil }
    }

    /// Whether it seals what follows, and has no words of its own.
    fileprivate var isBareSeal: Bool {
        guard case .reasoning(let reasoning) = content, let seal = reasoning.seal else { return false }
        return reasoning.text.isEmpty && !seal.replacesText
    }
}

extension ArraySlice<ChatPart> {
    /// Whether one of them is more than a call.
    fileprivate var hasContent: Bool { contains { !$0.isCall } }
}
