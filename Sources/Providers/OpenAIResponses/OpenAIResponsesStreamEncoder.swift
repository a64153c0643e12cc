import Base
import Chat
import HTTPWire
import JSON

/// Writes the stream of a response; silent, it puts the whole response together.
///
/// Words and thoughts are items that end where the next begins. Calls of tools may be written in turns, so that they
/// all end when the reply does.
struct OpenAIResponsesStreamEncoder: ChatStreamEncoder {
    private(set) var response: OpenAIResponsesObject
    private var events: OpenAIResponsesEvents
    private var hasBegun = false
    private var finish: ChatFinish.Reason?
    /// The items by their index, nil as long as they have not ended.
    private var items: [[UInt8]?] = []
    private var message: OpenAIResponsesMessage?
    private var reasoning: OpenAIResponsesReasoning?
    private var calls: [Int: OpenAIResponsesCall] = [:]

    init(_ context: ReplyContext, isSilent: Bool = false) {
        response = OpenAIResponsesObject(context)
        events = OpenAIResponsesEvents(isSilent: isSilent)
    }

    mutating func encode(_ event: ChatEvent, into output: inout [UInt8]) {
        if case .usage(let usage) = event { response.usage = usage }
        guard finish == nil else { return }
        if case .began(_, let model) = event, !hasBegun { response.model = model ?? response.model }
        swap(&events.output, &output)
        defer { swap(&events.output, &output) }
        begin()
        switch event {
        case .began, .usage: break
        case .text(let text): say(text, isRefusal: false)
        case .refusal(let text): say(text, isRefusal: true)
        case .citation(let citation):
            openMessage()
            message?.cite(citation, &events)
        case .reasoning(let text, let isSummary): think(text, isSummary: isSummary)
        case .sealed(let seal): take(seal)
        case .toolCallBegan(let index, let id, let name, let isCustom):
            begin(call: index, id: id, name: name, isCustom: isCustom)
        case .toolCallArguments(let index, let text): calls[index]?.argue(text, &events)
        case .media(let media): draw(media)
        case .opaque(.openAIResponses, _, let value): pass(value)
        // What another provider has run has no words here.
        case .opaque: break
        case .finished(let finish): end(finish.reason)
        }
    }

    mutating func end(into output: inout [UInt8]) {
        guard finish != nil else { return }
        swap(&events.output, &output)
        defer { swap(&events.output, &output) }
        events.emit(response.status.name == "completed" ? "response.completed" : "response.incomplete") {
            [response] json in
            json.key("response")
            response.write(&json)
        }
    }

    /// An `error`, at which OpenAI's libraries throw, and a `response.failed`, from which agents learn what to do.
    mutating func fail(_ problem: Problem, into output: inout [UInt8]) {
        swap(&events.output, &output)
        defer { swap(&events.output, &output) }
        begin()
        events.emit(problem, requestID: response.context.requestID)
        response.status = .failed(problem)
        response.output = items.compactMap { $0 }
        events.emit("response.failed") { [response] json in
            json.key("response")
            response.write(&json)
        }
    }

    // MARK: The response

    private mutating func begin() {
        if hasBegun { return }
        hasBegun = true
        for type in ["response.created", "response.in_progress"] {
            events.emit(type) { [response] json in
                json.key("response")
                response.write(&json)
            }
        }
    }

    private mutating func end(_ reason: ChatFinish.Reason) {
        let isWhole = reason != .length && reason != .contentFilter
        close(isWhole: isWhole)
        for call in calls.values.sorted(by: { $0.place.index < $1.place.index }) {
            items[call.place.index] = call.end(isWhole: isWhole, &events)
        }
        finish = reason
        response.status = .ended(reason)
        response.output = items.compactMap { $0 }
    }

    // MARK: Items

    private mutating func place(_ kind: String) -> OpenAIResponsesPlace {
        let index = items.count
        items.append(nil)
        return OpenAIResponsesPlace(index: index, id: "\(kind)\(response.context.identifier)_\(index)")
    }

    /// Ends the words or the thought that is open.
    private mutating func close(isWhole: Bool = true) {
        if let message { items[message.place.index] = message.end(isWhole: isWhole, &events) }
        if let reasoning { items[reasoning.place.index] = reasoning.end(seal: nil, &events) }
        (message, reasoning) = (nil, nil)
    }

    private mutating func openMessage() {
        if message != nil { return }
        close()
        message = OpenAIResponsesMessage(place("msg_"), &events)
    }

    private mutating func say(_ text: String, isRefusal: Bool) {
        openMessage()
        message?.say(text, isRefusal: isRefusal, &events)
    }

    private mutating func think(_ text: String, isSummary: Bool) {
        if reasoning?.canTake(isSummary: isSummary) != true {
            close()
            reasoning = OpenAIResponsesReasoning(place(ReplyContext.ownReasoning), &events)
        }
        reasoning?.think(text, isSummary: isSummary, &events)
    }

    private mutating func take(_ seal: ChatSeal) {
        if reasoning == nil {
            close()
            var place = place(ReplyContext.ownReasoning)
            if seal.origin == .openAIResponses, let id = seal.id { place.id = id }
            reasoning = OpenAIResponsesReasoning(place, &events)
        }
        if let reasoning { items[reasoning.place.index] = reasoning.end(seal: seal, &events) }
        reasoning = nil
    }

    private mutating func begin(call index: Int, id: String, name: String, isCustom: Bool) {
        guard calls[index] == nil else { return }
        close()
        // Other dialects call a tool that wants text with an object that holds it.
        let isWrapped = !isCustom && response.context.request.tools.hasCustom(name)
        calls[index] = OpenAIResponsesCall(
            place(isCustom || isWrapped ? "ctc_" : "fc_"), id: id, name: name,
            isCustom: isCustom || isWrapped,
            isWrapped: isWrapped, &events)
    }

    /// Of what is elsewhere there is no way to speak here.
    private mutating func draw(_ media: ChatMedia) {
        guard media.kind == .image, case .base64(let data) = media.source else { return }
        close()
        let place = place(OpenAIResponsesDrawing.ownID)
        items[place.index] = OpenAIResponsesDrawing.write(data, media.mediaType, at: place, &events)
    }

    private mutating func pass(_ value: JSONValue) {
        close()
        let place = place("item_")
        for type in ["response.output_item.added", "response.output_item.done"] {
            events.emit(type) { json in
                json.field("output_index", place.index)
                json.field("item", value)
            }
        }
        items[place.index] = Array(value.bytes)
    }
}
