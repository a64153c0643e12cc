import Chat
import JSON

/// Reads an answer, whole or piece by piece.
struct GeminiReplyReader: Sendable {
    private var id: String?
    private var hasBegun = false
    private var callCount = 0
    private var finish: ChatFinish.Reason?
    private var usage: ChatUsage?
    /// Signatures of a part that says nothing, until it is known what follows.
    private var pending: ChatSeal?
    /// Sources are said again and again in a stream.
    private var citedURLs: Set<String> = []

    mutating func take(_ answer: JSONValue, into events: inout [ChatEvent]) throws(UpstreamFault) {
        guard answer.kind == .object else { throw .garbled("not a JSON object") }
        if let error = answer["error"].present { throw GeminiFault.read(error, status: nil) }
        if !hasBegun {
            hasBegun = true
            id = answer["responseId"]?.string
            events.append(.began(id: id, model: answer["modelVersion"]?.string))
        }
        let earlier = usage
        usage = ChatUsage(gemini: answer["usageMetadata"]) ?? usage
        // Of what is said here too. The first goes ahead, for clients that are told at the beginning what was read.
        if earlier == nil, let usage { events.append(.usage(usage)) }
        defer { if earlier != nil, let usage, usage != earlier { events.append(.usage(usage)) } }
        if answer["promptFeedback"]?["blockReason"].present != nil { finish = .contentFilter }
        guard let candidates = answer["candidates"],
            let candidate = candidates.elements.first(where: { ($0["index"]?.int ?? 0) == 0 })
        else { return }
        if let parts = candidate["content"]?["parts"] {
            for part in parts.elements { try take(part: part, &events) }
        }
        cite(candidate, &events)
        if let reason = candidate["finishReason"]?.string { try end(reason, candidate) }
    }

    /// Nothing follows.
    mutating func end(into events: inout [ChatEvent]) throws(UpstreamFault) {
        guard let finish else { throw .garbled("the answer broke off without a finishReason") }
        if let pending { events.append(.sealed(pending)) }
        pending = nil
        events.append(.finished(ChatFinish(finish == .stop && callCount > 0 ? .toolCalls : finish)))
    }

    // MARK: Parts

    private mutating func take(part: JSONValue, _ events: inout [ChatEvent]) throws(UpstreamFault) {
        let seal = part["thoughtSignature"]?.string.map { ChatSeal($0, origin: .gemini) }
        if let call = part["functionCall"].present {
            try take(call: call, seal: seal, &events)
        } else if let text = part["text"]?.string {
            take(text: text, isThought: part["thought"]?.bool ?? false, seal: seal, &events)
        } else if let image = Self.image(in: part) {
            if pending != nil {
                flush(&events)
                // Keeps the image from being taken for what is signed.
                events.append(.text(""))
            }
            if let seal { events.append(.sealed(seal)) }
            events.append(.media(image))
        } else if let type = Self.type(of: part) {
            flush(&events)
            events.append(.opaque(.gemini, type: type, part))
        }
    }

    /// What the model has drawn; on its way there it may sketch.
    private static func image(in part: JSONValue) -> ChatMedia? {
        guard part["thought"]?.bool != true, let type = part["inlineData"]?["mimeType"]?.string,
            type.hasPrefix("image/"), let data = part["inlineData"]?["data"]?.string, !data.isEmpty
        else { return nil }
        return ChatMedia(.image, .base64(data), mediaType: type)
    }

    /// The field that says what the part is; the others are about it.
    private static func type(of part: JSONValue) -> String? {
        let asides: Set = ["thought", "thoughtSignature", "partMetadata", "videoMetadata", "mediaResolution"]
        return part.members.lazy.map(\.key.string).first { !asides.contains($0) }
    }

    private mutating func take(
        text: String, isThought: Bool, seal: ChatSeal?, _ events: inout [ChatEvent]
    ) {
        if text.isEmpty, seal == nil { return }
        if isThought {
            flush(&events)
            if !text.isEmpty { events.append(.reasoning(text, isSummary: true)) }
            // The thought's own, and so none of the part that follows.
            if var seal {
                seal.replacesText = true
                events.append(.sealed(seal))
            }
            return
        }
        if text.isEmpty {
            flush(&events)
            pending = seal
            return
        }
        flush(&events)
        if let seal { events.append(.sealed(seal)) }
        events.append(.text(text))
    }

    private mutating func take(call: JSONValue, seal: ChatSeal?, _ events: inout [ChatEvent])
        throws(UpstreamFault)
    {
        guard let name = call["name"]?.string, !name.isEmpty else {
            throw .garbled("a call of a tool without name")
        }
        if pending != nil {
            flush(&events)
            // Keeps the call from being taken for what is signed.
            events.append(.text(""))
        }
        if let seal { events.append(.sealed(seal)) }
        // Older models name no calls. Answers have names of their own, so that these repeat in no conversation.
        let made = "call_\(id.map { "\($0)_" } ?? "")\(callCount)"
        let given = call["id"]?.string
        events.append(
            .toolCallBegan(index: callCount, id: given?.isEmpty == false ? given ?? made : made, name: name))
        let arguments = call["args"].present.map { String(decoding: $0.bytes, as: UTF8.self) }
        events.append(.toolCallArguments(index: callCount, arguments ?? "{}"))
        callCount += 1
    }

    private mutating func flush(_ events: inout [ChatEvent]) {
        if let pending { events.append(.sealed(pending)) }
        pending = nil
    }

    // MARK: Sources

    private mutating func cite(_ candidate: JSONValue, _ events: inout [ChatEvent]) {
        let chunks = candidate["groundingMetadata"]?["groundingChunks"].map { Array($0.elements) } ?? []
        let metadata = candidate["citationMetadata"]
        let quoted = (metadata?["citationSources"] ?? metadata?["citations"]).map { Array($0.elements) } ?? []
        for source in chunks.compactMap({ $0["web"] ?? $0["retrievedContext"] }) + quoted {
            guard let url = source["uri"]?.string, citedURLs.insert(url).inserted else { continue }
            events.append(.citation(ChatCitation(url: url, title: source["title"]?.string)))
        }
    }

    // MARK: Endings

    private mutating func end(_ reason: String, _ candidate: JSONValue) throws(UpstreamFault) {
        switch reason {
        case "STOP", "NO_IMAGE": finish = .stop
        case "MAX_TOKENS": finish = .length
        case "CONTINUATION": finish = .paused
        case "MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS",
            "MISSING_THOUGHT_SIGNATURE":
            throw GeminiFault.ended(reason, message: candidate["finishMessage"]?.string, usage: usage)
        // SAFETY, RECITATION, BLOCKLIST, PROHIBITED_CONTENT, SPII, LANGUAGE, those of images, and whatever else keeps
        // an answer from being whole.
        default: finish = .contentFilter
        }
    }
}
