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

    private let request: OpenAIChatRequest
    private let exchange: Exchange
    private let replies: [SandboxReply]
    private let encoder: OpenAIChatEncoder

    init(_ request: OpenAIChatRequest, _ model: SandboxModel, on exchange: Exchange, at now: Timestamp)
        throws(Problem)
    {
        guard request.choiceCount <= Self.largestChoiceCount else {
            throw Problem(
                .invalidRequest, code: "invalid_request", "n: must be at most \(Self.largestChoiceCount).",
                field: "n")
        }
        self.request = request
        self.exchange = exchange
        let messages = request.messages
        replies = (0..<request.choiceCount).map { choice in
            // Each further choice is another story; the first is the same with and without others.
            let seed = choice == 0 ? request.seed : (request.seed ?? 0) &+ choice
            return SandboxReply(
                of: model, to: messages, seed: seed, maximumTokens: request.maximumTokens, stop: request.stop)
        }
        encoder = OpenAIChatEncoder(id: "chatcmpl-\(exchange.id)", created: now, model: request.model)
    }

    /// The prompt was read once, whatever the number of choices.
    private var usage: ChatUsage {
        ChatUsage(input: replies[0].usage.input, output: replies.reduce(0) { $0 + $1.usage.output })
    }

    func send() async throws {
        let pace = replies[0].pace
        if pace.beforeFirstPiece > .zero { try await exchange.loop.sleep(for: pace.beforeFirstPiece) }
        if replies[0].fault == .beforeFirstPiece { throw Self.fault }
        if request.isStreaming {
            try await stream()
        } else {
            try await whole()
        }
    }

    private static let fault = Problem(
        .unavailable, code: "sandbox_fault",
        "The sandbox model \"flaky\" failed, as it does twice out of three times.",
        retryAfterSeconds: 1)

    private func whole() async throws {
        let first = replies[0]
        for _ in 0..<first.pieces.count where first.pace.betweenPieces > .zero {
            try await exchange.loop.sleep(for: first.pace.betweenPieces)
        }
        if first.fault != nil { throw Self.fault }
        exchange.respond(
            200, ["Content-Type": "application/json"],
            body: encoder.completion(
                texts: replies.map { $0.pieces.joined() }, finish: first.finish, usage: usage))
    }

    private func stream() async throws {
        let stream = try await exchange.stream(
            200, ["Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"])
        for (choice, reply) in replies.enumerated() {
            try await stream.write(encoder.begin(choice: choice))
            for (index, piece) in reply.pieces.enumerated() {
                if reply.fault == .after(index) {
                    return try await stream.write(OpenAIProblem.event(Self.fault, requestID: exchange.id))
                }
                if reply.pace.betweenPieces > .zero {
                    try await exchange.loop.sleep(for: reply.pace.betweenPieces)
                }
                try await stream.write(encoder.text(piece, choice: choice))
            }
            try await stream.write(encoder.finish(reply.finish, choice: choice))
        }
        if request.includesUsage { try await stream.write(encoder.usage(usage)) }
        try await stream.write(OpenAIChatEncoder.done)
    }
}
