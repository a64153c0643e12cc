import Base
package import Chat

/// What a sandbox model answers: a value that depends on the model, the messages and the seed alone.
package struct SandboxReply: Equatable, Sendable {
    /// The answer in the pieces in which it is streamed.
    package let pieces: [String]
    /// Instead of words.
    package let toolCall: ChatToolCall?
    package let finish: ChatFinish.Reason
    package let usage: ChatUsage
    package let fault: Fault?
    package let pace: Pace

    /// How the reply goes wrong.
    package enum Fault: Equatable, Sendable {
        case beforeFirstPiece
        /// After that many pieces.
        case after(Int)
    }

    package struct Pace: Equatable, Sendable {
        package var beforeFirstPiece: Duration
        package var betweenPieces: Duration
    }

    package init(
        of model: SandboxModel, to messages: [ChatMessage], seed: Int? = nil, maximumTokens: Int? = nil,
        stop: [String] = [], saying speech: SandboxSpeech? = nil
    ) {
        let prompt = messages.last { $0.role == .user }?.text ?? ""
        var generator = SandboxStory.generator(prompt: prompt, seed: seed)
        if case .call(let call) = speech { toolCall = call } else { toolCall = nil }
        let whole =
            switch (model, speech) {
            case (_, .value(let text)): text
            case (_, .call): ""
            case (.echo, _): "Sandbox echo: \(prompt)"
            case (.story, _), (.slow, _), (.flaky, _), (.embed, _), (.image, _):
                "Sandbox story: \(SandboxStory.tell(&generator))"
            }
        let stopped = Self.cut(whole, before: stop)
        let (pieces, isComplete) = Self.pieces(of: stopped, maximumTokens: maximumTokens)
        self.pieces = pieces
        finish = toolCall != nil ? .toolCalls : isComplete ? .stop : .length
        usage = ChatUsage(
            input: TokenEstimate.tokens(in: messages),
            output: TokenEstimate.tokens(in: pieces.joined() + (toolCall?.arguments ?? "")))
        fault = model == .flaky ? Self.fault(&generator, seed: seed, pieceCount: pieces.count) : nil
        pace =
            model == .slow
            ? Pace(beforeFirstPiece: .milliseconds(400), betweenPieces: .milliseconds(30))
            : Pace(beforeFirstPiece: .zero, betweenPieces: .zero)
    }

    private static func cut(_ text: String, before stops: [String]) -> String {
        let ends = stops.filter { !$0.isEmpty }.compactMap { stop in
            let needle = Array(stop.utf8)
            let haystack = Array(text.utf8)
            return (0..<haystack.count).first { haystack[$0...].starts(with: needle) }
        }
        guard let end = ends.min() else { return text }
        return String(decoding: Array(text.utf8)[..<end], as: UTF8.self)
    }

    /// Words with the space before them, as models stream them.
    private static func pieces(of text: String, maximumTokens: Int?) -> (pieces: [String], isComplete: Bool) {
        var pieces: [String] = []
        var current = ""
        for character in text {
            if character == " ", !current.isEmpty {
                pieces.append(current)
                current = ""
            }
            current.append(character)
        }
        if !current.isEmpty { pieces.append(current) }
        guard let maximumTokens else { return (pieces, true) }
        var kept = ""
        for (index, piece) in pieces.enumerated() {
            kept += piece
            if TokenEstimate.tokens(in: kept) > maximumTokens { return (Array(pieces[..<index]), false) }
        }
        return (pieces, true)
    }

    private static func fault(_ generator: inout SeededGenerator, seed: Int?, pieceCount: Int)
        -> Fault?
    {
        // With a seed the caller chooses: 0 is well, 1 fails at once, 2 fails in the middle.
        switch seed.map({ UInt64($0.magnitude) % 3 }) ?? generator.next() % 3 {
        case 1: .beforeFirstPiece
        case 2: .after(max(1, pieceCount / 2))
        default: nil
        }
    }
}
