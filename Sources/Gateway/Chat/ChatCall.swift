import Base
import Cache
import Chat
import HTTPServer
import HTTPWire
import Identity
import JSON
import Providers

/// A client's call of a model, from its arrival to its end.
// Confined to its loop.
final class ChatCall: @unchecked Sendable {
    let exchange: Exchange
    let front: any ChatFront
    let caller: Caller
    private let read: ReadRequest
    private(set) var document: JSONDocument
    let client: ClientStream
    private let created: Timestamp
    private var decoded: ChatRequest?
    private var knownBounds: (answer: AnswerBounds, media: [ChatMedia])?
    /// How the client, and the log, name the request.
    let requestID: String
    let attempts: CallAttempts
    /// Who is asked now.
    var candidate: Candidate?
    /// What the cache may do for it.
    var cache: CallCache?
    /// Whether images that are elsewhere are fetched here.
    var fetchesImages = false
    /// What the answer must be, where that is checked before the client gets it.
    var check: OutputCheck?
    /// The answer that is checked.
    private(set) var held: HeldAnswer?
    /// Whether a provider of the same dialect gets the request as the client wrote it.
    private(set) var mayBeForwarded: Bool

    init(
        _ exchange: Exchange, _ front: any ChatFront, _ caller: Caller, _ read: ReadRequest,
        at created: Timestamp, id: String?, client: ClientStream
    ) {
        self.exchange = exchange
        self.front = front
        self.caller = caller
        self.read = read
        document = read.document
        self.created = created
        requestID = id ?? exchange.id
        attempts = CallAttempts(id ?? exchange.id, of: caller, .chat, isStreaming: read.outline.isStreaming)
        mayBeForwarded = true
        self.client = client
    }

    /// Asks the same once more with another request, on behalf of `call`.
    init(_ call: ChatCall, instead request: ChatRequest) {
        exchange = call.exchange
        front = call.front
        caller = call.caller
        read = call.read
        document = call.document
        client = call.client
        created = call.created
        requestID = call.requestID
        attempts = call.attempts
        check = call.check
        cache = call.cache
        mayBeForwarded = false
        decoded = request
    }

    var outline: ChatOutline { read.outline }
    var isSelfContained: Bool { read.isSelfContained }
    var tags: [UInt8]? { read.tags }

    /// The whole request, read when it is first needed: what is passed on never is.
    func request() throws(Problem) -> ChatRequest {
        if let decoded { return decoded }
        let request = try front.request(document)
        decoded = request
        return request
    }

    /// How much may be answered, and what of the conversation is no text.
    func bounds() throws(Problem) -> (answer: AnswerBounds, media: [ChatMedia]) {
        if let knownBounds { return knownBounds }
        let bounds: (AnswerBounds, [ChatMedia])
        if decoded == nil, let answer = front.boundsOfText(document) {
            bounds = (answer, [])
        } else {
            let request = try request()
            bounds = (AnswerBounds(request), request.media)
        }
        knownBounds = bounds
        return bounds
    }

    /// Asks this and not what the client wrote.
    func ask(instead request: ChatRequest) {
        decoded = request
        knownBounds = nil
        mayBeForwarded = false
    }

    /// The most tokens that it may have where the client has not said how many.
    private(set) var answerLimit: Int?

    func limitAnswer(to count: Int) throws {
        answerLimit = count
        knownBounds = nil
        decoded?.sampling.maximumTokens = count
        let said = front.answerLimitFields.filter { document.root.member($0)?.isNull == false }
        let edits = (said.isEmpty ? [front.answerLimitFields[0]] : said).map { field in
            JSONEdit.set([.key(field)], Array(String(count).utf8))
        }
        document = try JSONDocument(parsing: document.patched(edits))
    }

    /// Whether the provider of `candidate` gets the request as it is.
    func isForwarded(to candidate: Candidate) -> Bool {
        mayBeForwarded && candidate.chatCodec(for: front.dialect)?.dialect == front.dialect
    }

    /// The request where it can be read.
    var readableRequest: ChatRequest? {
        do throws(Problem) { return try request() } catch { return nil }
    }

    func context() throws(Problem) -> ReplyContext {
        ReplyContext(
            try request(), requestID: requestID, created: created,
            server: candidate.map { .init(provider: $0.provider, model: $0.id, attempts: attempts.count) })
    }

    /// The same for an answer that was made for another.
    func context(of answer: CachedAnswer) throws(Problem) -> ReplyContext {
        ReplyContext(
            try request(), requestID: answer.origin.requestID, created: answer.origin.created,
            server: .init(provider: answer.provider, model: answer.model, attempts: answer.origin.attempts))
    }

    /// What its answer says of it, whoever is given it.
    var origin: CachedAnswer.Origin {
        CachedAnswer.Origin(requestID: requestID, created: created, attempts: attempts.count)
    }

    /// Gives the client a whole answer, or holds it where it is to be checked first.
    func deliver(_ reply: ChatReply) throws(Problem) {
        if check != nil {
            held = HeldAnswer(reply: reply, original: nil)
        } else {
            respond(front.body(reply, try context()), type: "application/json")
        }
    }

    /// Answers the client, and those who asked the same.
    func respond(_ body: [UInt8], type: String) {
        client.respond(200, body, type: type)
    }

    /// The same for an answer that is in the client's dialect already.
    func deliver(
        _ body: [UInt8], type: String, read: ([UInt8]) throws(UpstreamFault) -> ChatReply
    ) throws(UpstreamFault) {
        if check != nil {
            held = HeldAnswer(reply: try read(body), original: (body, type))
        } else {
            respond(body, type: type)
        }
    }
}
