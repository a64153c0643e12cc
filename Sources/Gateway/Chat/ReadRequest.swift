import Base
import Cache
import Chat
import JSON
import Providers

/// What a request for a conversation says by itself, whoever asks, and whenever.
// Confined to its loop.
final class ReadRequest: @unchecked Sendable {
    /// As the client sent it.
    let whole: JSONDocument
    let outline: ChatOutline
    let wishes: RouteWishes
    /// Without the wishes.
    let document: JSONDocument
    let dialect: ChatDialect

    init(_ whole: JSONDocument, as front: some ChatFront) throws(Problem) {
        self.whole = whole
        dialect = front.dialect
        do throws(Problem) { outline = try front.outline(whole) } catch {
            // Who has to mend a request learns of all its faults at once.
            _ = try front.request(whole)
            throw error
        }
        // In our own dialect the wishes are ours whatever the model.
        (wishes, document) = try RouteWishes.take(
            from: whole, model: front.dialect == .hivegate ? "" : outline.model)
    }

    /// Where its answer was looked for last.
    var place: AnswerPlace?
    /// How it was asked last.
    var question: KnownQuestion?
    /// The answer that was there.
    var keptAnswer: KeptAnswer?

    /// What tells it from other questions.
    private(set) lazy var canonical = CanonicalRequest(whole, dialect)

    /// Whether the same question always means the same: one about what a provider keeps, or goes on changing, does not.
    private(set) lazy var isSelfContained: Bool = {
        func isSaid(_ name: StaticString) -> Bool { document[name].map { !$0.isNull } ?? false }
        return switch dialect {
        case .openAIResponses:
            !isSaid("conversation") && !isSaid("previous_response_id") && !isSaid("prompt")
                && document["background"]?.bool != true
        case .anthropic: !isSaid("container") && !isSaid("mcp_servers")
        default: true
        }
    }()

    /// What the client says that it is about (`metadata`), as far as that is text; nil where it says nothing.
    private(set) lazy var tags: [UInt8]? = RequestTags.tags(of: whole)

    /// Whether it asks for another answer each time.
    private(set) lazy var isVaried = document["temperature"]?.double != 0
}

/// Requests that have come more than once, by their bytes: where answers are kept the same ones come again and again, and
/// to read one takes longer than to find its answer.
// Confined to its loop.
final class RequestMemory: @unchecked Sendable {
    private static let largestTable = 256
    private static let largestBody = 16 << 10

    /// By their hashes. Of two that have the same, be it because somebody made them so, one is remembered, and the other read
    /// each time.
    private var table = ClockTable<UInt64, Known>(capacity: largestTable)
    /// Of those that came once, at their place: what never comes again leaves nothing else behind.
    private var hashes = [UInt64](repeating: 0, count: 1024)

    private struct Known {
        let bytes: [UInt8]
        let dialect: ChatDialect
        let request: ReadRequest
    }

    /// Whether the answer to any was looked for where it is kept.
    var hasPlaces = false

    func recall(_ body: UnsafeRawBufferPointer, _ dialect: ChatDialect) -> ReadRequest? {
        body.count > Self.largestBody ? nil : recall(body, dialect, XXHash64.hash(of: body))
    }

    private func recall(_ body: UnsafeRawBufferPointer, _ dialect: ChatDialect, _ hash: UInt64)
        -> ReadRequest?
    {
        guard let known = table.value(for: hash), known.dialect == dialect, known.bytes.isSame(as: body)
        else { return nil }
        return known.request
    }

    func read(_ bytes: [UInt8], as front: some ChatFront) throws(Problem) -> ReadRequest {
        guard bytes.count <= Self.largestBody else {
            return try ReadRequest(try Gateway.document(bytes), as: front)
        }
        let dialect = front.dialect
        let (hash, known) = bytes.withUnsafeBytes { bytes in
            let hash = XXHash64.hash(of: bytes)
            return (hash, recall(bytes, dialect, hash))
        }
        if let known { return known }
        let request = try ReadRequest(try Gateway.document(bytes), as: front)
        let place = Int(truncatingIfNeeded: hash) & (hashes.count - 1)
        if hashes[place] == hash {
            table.set(Known(bytes: bytes, dialect: dialect, request: request), for: hash)
        } else {
            hashes[place] = hash
        }
        return request
    }
}
