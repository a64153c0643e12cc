import Base
import Chat
import HTTPServer
import HTTPWire
import Loop
import Providers

/// Sends the reply of a sandbox model: whole or as a stream, at its pace, with its faults.
struct SandboxAnswer {
    /// More choices than this nobody reads.
    private static let largestChoiceCount = 16

    private let call: ChatCall
    private let replies: [SandboxReply]
    private let candidate: Candidate
    private let record = AttemptRecord()

    init(_ call: ChatCall, _ model: SandboxModel, _ candidate: Candidate) throws {
        let request = try call.request()
        guard request.choiceCount <= Self.largestChoiceCount else {
            throw Problem(
                .invalidRequest, code: "invalid_request", "n: must be at most \(Self.largestChoiceCount).",
                field: "n")
        }
        self.call = call
        self.candidate = candidate
        let speech: SandboxSpeech?
        do throws(SandboxSpeech.Misfit) { speech = try SandboxSpeech.wanted(by: request) } catch {
            throw Problem(.unprocessable, code: "sandbox_misfit", error.reason)
        }
        replies = (0..<request.choiceCount).map { choice in
            // Each further choice is another story; the first is the same with and without others.
            let seed = choice == 0 ? request.sampling.seed : (request.sampling.seed ?? 0) &+ choice
            return SandboxReply(
                of: model, to: request.messages, seed: seed, maximumTokens: request.sampling.maximumTokens,
                stop: request.sampling.stop, saying: speech)
        }
    }

    func send(by gateway: Gateway) async throws {
        call.cache?.recording?.begin()
        try await gateway.attempt(
            candidate, for: call.attempts,
            cost: { _ in Attempt.Cost(usage: record.usage(for: call.readableRequest)) },
            { attempt in
                gateway.nameServer(candidate, attempts: call.attempts, call.exchange)
                try await answer { attempt.began(at: gateway.time.instant()) }
            })
    }

    private func answer(began: () -> Void) async throws {
        let pace = replies[0].pace
        if pace.beforeFirstPiece > .zero { try await call.exchange.loop.sleep(for: pace.beforeFirstPiece) }
        if replies[0].fault == .beforeFirstPiece { throw Self.fault }
        began()
        if call.outline.isStreaming {
            try await stream()
        } else {
            try await whole()
        }
    }

    private static let fault = CallFailure(
        Problem(
            .unavailable, code: "sandbox_fault",
            "The sandbox model \"flaky\" failed, as it does twice out of three times.",
            retryAfterSeconds: 1),
        .elsewhere)

    private func whole() async throws {
        let first = replies[0]
        for _ in 0..<first.pieces.count where first.pace.betweenPieces > .zero {
            try await call.exchange.loop.sleep(for: first.pace.betweenPieces)
        }
        if first.fault != nil { throw Self.fault }
        record.take(usage)
        let whole = replies.map { reply in
            ChatReply(
                model: call.outline.model,
                parts: [reply.toolCall.map { ChatPart(.toolCall($0)) } ?? .text(reply.pieces.joined())],
                finish: ChatFinish(reply.finish), usage: reply.usage)
        }
        if whole.count == 1 {
            if let recording = call.cache?.recording { whole[0].events.forEach(recording.take) }
            return try call.deliver(whole[0])
        }
        let body = OpenAIChatWriter(try call.context()).completion(whole)
        call.respond(body, type: "application/json")
    }

    private func stream() async throws {
        let context = try call.context()
        // Only OpenAI's dialect knows several choices.
        var encoders: [any ChatStreamEncoder] =
            replies.count == 1
            ? [call.front.streamEncoder(context)]
            : replies.indices.map { OpenAIChatStreamEncoder(context, choice: $0) }
        for (choice, reply) in replies.enumerated() {
            var events: [ChatEvent] = [.began(id: nil, model: call.outline.model)]
            if choice == 0 { events.append(.usage(ChatUsage(input: usage.input))) }
            for (index, piece) in reply.pieces.enumerated() {
                if reply.fault == .after(index) {
                    call.client.teller = .encoder(encoders[choice])
                    throw Self.fault
                }
                if reply.pace.betweenPieces > .zero {
                    try await call.exchange.loop.sleep(for: reply.pace.betweenPieces)
                }
                events.append(.text(piece))
                try await write(events, by: &encoders[choice])
                events = []
            }
            if let tool = reply.toolCall {
                events.append(.toolCallBegan(index: 0, id: tool.id, name: tool.name))
                events.append(.toolCallArguments(index: 0, tool.arguments))
            }
            events.append(.finished(ChatFinish(reply.finish)))
            events.append(.usage(usage))
            try await write(events, by: &encoders[choice])
        }
        record.take(usage)
        var end: [UInt8] = []
        encoders[encoders.count - 1].end(into: &end)
        try await call.client.end(end)
    }

    private func write(_ events: [ChatEvent], by encoder: inout any ChatStreamEncoder) async throws {
        var output: [UInt8] = []
        for event in events {
            // What is said ahead of the answer is not all that it takes.
            if case .usage = event {} else { record.take(event) }
            if replies.count == 1 { call.cache?.recording?.take(event) }
            encoder.encode(event, into: &output)
        }
        try await call.client.write(output)
    }

    /// The prompt was read once, whatever the number of choices.
    private var usage: ChatUsage {
        ChatUsage(input: replies[0].usage.input, output: replies.reduce(0) { $0 + $1.usage.output })
    }
}
