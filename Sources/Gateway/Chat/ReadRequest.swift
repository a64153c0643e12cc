import Base
import Cache
import Chat
import Glibc
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
    private let dialect: ChatDialect

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

    /// Whether it asks for another answer each time.
    private(set) lazy var isVaried = document["temperature"]?.double != 0
}

/// Requests that have come more than once, by their bytes: where answers are kept the same ones come again and again, and
/// to read one takes longer than to find its answer.
// Confined to its loop.
final class RequestMemory: @unchecked Sendable {
    private static let largestTable = 256
    private static let largestBody = 16 << 10

    private var table = ClockTable<Body, ReadRequest>(capacity: largestTable)
    /// Of those that came once, at their place: what never comes again leaves nothing else behind.
    private var hashes = [Int](repeating: 0, count: 1024)

    private struct Body: Hashable {
        let dialect: ChatDialect
        let bytes: [UInt8]
        let hash: Int

        init(_ bytes: [UInt8], _ dialect: ChatDialect) {
            self.bytes = bytes
            self.dialect = dialect
            var hasher = Hasher()
            bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
            hash = hasher.finalize()
        }

        func hash(into hasher: inout Hasher) { hasher.combine(hash) }

        static func == (left: Body, right: Body) -> Bool {
            guard left.bytes.count == right.bytes.count, left.dialect == right.dialect else { return false }
            return left.bytes.withUnsafeBytes { left in
                right.bytes.withUnsafeBytes { right in
                    guard let one = left.baseAddress, let other = right.baseAddress else { return true }
                    return memcmp(one, other, left.count) == 0
                }
            }
        }
    }

    func read(_ bytes: [UInt8], as front: some ChatFront) throws(Problem) -> ReadRequest {
        guard bytes.count <= Self.largestBody else {
            return try ReadRequest(try Gateway.document(bytes), as: front)
        }
        let body = Body(bytes, front.dialect)
        if let known = table.value(for: body) { return known }
        let request = try ReadRequest(try Gateway.document(bytes), as: front)
        let place = body.hash & (hashes.count - 1)
        if hashes[place] == body.hash { table.set(request, for: body) } else { hashes[place] = body.hash }
        return request
    }
}
