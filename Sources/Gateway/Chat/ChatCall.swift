import Base
import Chat
import HTTPServer
import Identity
import JSON
import Providers

/// A client's call of a model, from its arrival to its end.
// Confined to its loop.
final class ChatCall: @unchecked Sendable {
    let exchange: Exchange
    let front: any ChatFront
    let caller: Caller
    let document: JSONDocument
    let outline: ChatOutline
    let client: ClientStream
    private let created: Timestamp
    private var decoded: ChatRequest?
    let attempts = AttemptCount()

    init(
        _ exchange: Exchange, _ front: any ChatFront, _ caller: Caller, _ document: JSONDocument,
        _ outline: ChatOutline, at created: Timestamp
    ) {
        self.exchange = exchange
        self.front = front
        self.caller = caller
        self.document = document
        self.outline = outline
        self.created = created
        client = ClientStream(exchange, front, model: outline.model, at: created)
    }

    /// The whole request, read when it is first needed: what is passed on never is.
    func request() throws(Problem) -> ChatRequest {
        if let decoded { return decoded }
        let request = try front.request(document)
        decoded = request
        return request
    }

    /// The request where it can be read.
    var readableRequest: ChatRequest? {
        do throws(Problem) { return try request() } catch { return nil }
    }

    func context() throws(Problem) -> ReplyContext {
        ReplyContext(try request(), requestID: exchange.id, created: created)
    }
}
