import Base
import Cache
import Chat
import JSON

/// Answers of every kind, as a seed has it.
struct RandomAnswer {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func answer() throws -> CachedAnswer {
        var answer = CachedAnswer(
            try below(2) == 0 ? forwarded() : .events(events(below(30))),
            origin: CachedAnswer.Origin(
                requestID: text(), created: timestamp(), attempts: number()),
            storedAt: timestamp(),
            lifetimeSeconds: number(), provider: text(), model: text(), upstreamModel: text())
        if below(2) == 0 { answer.usage = usage() }
        if below(2) == 0 { answer.costNanodollars = Int64(number()) }
        return answer
    }

    private mutating func timestamp() -> Timestamp {
        Timestamp(microseconds: Int64(bitPattern: random.next()))
    }

    mutating func events(_ count: Int) throws -> [ChatEvent] {
        try (0..<count).map { _ in try event(below(Self.eventCount)) }
    }

    static let eventCount = 12

    /// Which of `event`'s cases it is: a case that is added has to get a number here.
    static func number(of event: ChatEvent) -> Int {
        switch event {
        case .began: 0
        case .text: 1
        case .citation: 2
        case .refusal: 3
        case .reasoning: 4
        case .sealed: 5
        case .toolCallBegan: 6
        case .toolCallArguments: 7
        case .media: 8
        case .opaque: 9
        case .usage: 10
        case .finished: 11
        }
    }

    mutating func event(_ number: Int) throws -> ChatEvent {
        switch number {
        case 0: return .began(id: maybeText(), model: maybeText())
        case 1: return .text(text())
        case 2: return .citation(ChatCitation(url: text(), title: maybeText(), quote: maybeText()))
        case 3: return .refusal(text())
        case 4: return .reasoning(text(), isSummary: below(2) == 0)
        case 5:
            let origin = pick(ChatDialect.allCases)
            return .sealed(
                ChatSeal(text(), origin: origin, id: maybeText(), replacesText: below(2) == 0))
        case 6:
            return .toolCallBegan(index: self.number(), id: text(), name: text(), isCustom: below(2) == 0)
        case 7: return .toolCallArguments(index: self.number(), text())
        case 8: return .media(media())
        case 9:
            // Part of a larger document, as a provider's are.
            let inner = #"{ "a" : [1.50, null, {"\u00e9":"\#(below(1000))"}] , "b":true }"#
            let document = try JSONDocument(parsing: Array("{\"x\":[0,\(inner)]}".utf8))
            let value = document["x"]?.element(1) ?? document.root
            return .opaque(pick(ChatDialect.allCases), type: text(), value)
        case 10: return .usage(usage())
        default:
            return .finished(ChatFinish(pick(ChatFinish.Reason.allCases), stopSequence: maybeText()))
        }
    }

    private mutating func forwarded() -> CachedAnswer.Content {
        let count = [0, 1, 100, 2048, 2049, 20_000][below(6)]
        // Some can be compressed, some cannot.
        let variety = [1, 4, 256][below(3)]
        let bytes = (0..<count).map { _ in UInt8(below(variety)) }
        return .forwarded(
            pick(ChatDialect.allCases), isStream: below(2) == 0, contentType: text(), bytes[...])
    }

    private mutating func media() -> ChatMedia {
        let sources: [ChatMedia.Source] = [.url(text()), .base64(text()), .file(id: text()), .text(text())]
        return ChatMedia(
            pick(ChatMedia.Kind.allCases), pick(sources), mediaType: maybeText(), name: maybeText(),
            detail: maybeText())
    }

    mutating func usage() -> ChatUsage {
        var usage = ChatUsage(
            input: number(), cacheRead: number(), cacheWrite: number(), cacheWriteHour: number(),
            audioInput: number(), output: number(), reasoning: number(), audioOutput: number())
        usage.imageInput = number()
        usage.imageOutput = number()
        usage.isEstimated = below(2) == 0
        return usage
    }

    private mutating func number() -> Int {
        switch below(4) {
        case 0: below(3) - 1
        case 1: below(100_000)
        default: Int(truncatingIfNeeded: random.next()) >> below(64)
        }
    }

    private mutating func maybeText() -> String? { below(2) == 0 ? nil : text() }

    private mutating func text() -> String {
        let pieces = ["", "a", "Hello ", "é", "e\u{301}", "日本", "😀", "\u{0}", "\"\\\n", "\u{FFFF}"]
        let count = below(20) == 0 ? 400 : below(6)
        return (0..<count).map { _ in pick(pieces) }.joined()
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
}
