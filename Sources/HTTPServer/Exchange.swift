package import Base
package import HTTPWire
package import Loop

/// One request and its answer, in a handler's hands.
// Confined to its loop.
package final class Exchange: @unchecked Sendable {
    package let request: RequestHead
    package internal(set) var parameters = PathParameters()
    /// The route that was found.
    package internal(set) var route: Route?
    /// Sent with whatever answers the request: a request id, rate limits, `Allow`.
    package var responseFields = HTTPFields()
    /// When the request's head was there.
    package let started: Instant
    /// The status that was sent; 0 before.
    package private(set) var status = 0
    /// Bytes of the answer's body.
    package private(set) var bytesOut = 0

    package let loop: EventLoop
    /// The other end of the connection; `nil` on a unix socket.
    package let peerAddress: IPAddress?

    /// Until the exchange has ended. Whoever keeps an exchange for longer, on whatever thread, keeps no
    /// connection.
    private(set) var connection: Connection?
    private let shared: ServerLoop
    private var identifier: RequestIdentifier?
    private var identifierText: String?
    /// Asked when the client leaves: whether the handler goes on all the same, because it works for others too.
    package var goesOnAlone: (() -> Bool)?
    /// What a beginning has made of this request's head. The connection's next request finds it, if its head is the same but
    /// for the digits of the body's length, and short enough to be remembered.
    package var headNotes: AnyObject? {
        get { connection?.headNotes }
        set { if let connection, connection.parser.remembersLast { connection.headNotes = newValue } }
    }
    /// Whether the answer broke off.
    var hasFailed = false

    init(_ request: RequestHead, on connection: Connection) {
        self.request = request
        self.connection = connection
        shared = connection.shared
        loop = connection.shared.loop
        peerAddress = connection.peer
        started = connection.shared.loop.now
    }

    /// Whether the server is being stopped: a long stream may want to end early.
    package var isDraining: Bool { connection?.machine.isDraining ?? true }
    /// Whether anything was answered. After that an error can only break the connection.
    package var isCommitted: Bool { connection?.machine.isCommitted ?? true }

    /// This request's name, for logs and for `x-request-id`. Made when first asked for.
    package var id: String {
        if let identifierText { return identifierText }
        let text = known().text
        identifierText = text
        return text
    }

    /// Puts that name into a field of the answer.
    package func appendID(as field: StaticString) {
        withUnsafeTemporaryAllocation(byteCount: RequestIdentifier.length, alignment: 1) { text in
            known().write(to: text)
            responseFields.append(known: field, UnsafeRawBufferPointer(text))
        }
    }

    private func known() -> RequestIdentifier {
        if let identifier { return identifier }
        let made = shared.nextIdentifier()
        identifier = made
        return made
    }

    /// Ends the exchange's beginning: it is answered, or `rest` is to be run for it instead of the route's handler.
    package func begun(leaving rest: Handler? = nil) { connection?.begun(self, leaving: rest) }

    /// Nobody wants the answer any more.
    package func cancel() { connection?.cancel() }

    // MARK: The body

    /// The bound of this request's body: the route's, or the server's.
    package var bodyLimit: Int { route?.bodyLimit ?? shared.configuration.limits.bodyBytes }

    /// The whole body, or what is left of it. Throws a `Problem` where it is too large, too slow or
    /// malformed.
    package func body(limit: Int? = nil) async throws -> [UInt8] {
        guard let connection else { throw ConnectionClosed() }
        var whole: [UInt8] = []
        let limit = limit ?? bodyLimit
        while try await connection.readBody(into: &whole, limit: limit) {
            if connection.machine.body == .complete { break }
        }
        return whole
    }

    /// Shows `look` the whole body, if all of it is here already; it stays where it is. Says whether it was.
    package func lookAtBody(_ look: (UnsafeRawBufferPointer) -> Void) -> Bool {
        connection?.lookAtBody(look) ?? false
    }

    /// The next piece of the body as it comes; `nil` at its end.
    package func nextBodyPiece(limit: Int? = nil) async throws -> [UInt8]? {
        guard let connection else { throw ConnectionClosed() }
        var piece: [UInt8] = []
        return try await connection.readBody(into: &piece, limit: limit ?? bodyLimit) ? piece : nil
    }

    // MARK: The answer

    /// Answers as a whole. A second answer, or one after the client has left, is dropped.
    ///
    /// Fields that cannot be sent (a line end in a value) turn the answer into a 500: an answer is never
    /// split.
    package func respond(_ status: Int, _ fields: HTTPFields = HTTPFields(), body: [UInt8] = []) {
        guard let connection, respond(status, fields, length: body.count, on: connection) else { return }
        if !body.isEmpty { connection.append(body) }
    }

    /// The same with a part of something.
    package func respond(_ status: Int, body: ArraySlice<UInt8>) {
        guard let connection, respond(status, HTTPFields(), length: body.count, on: connection) else {
            return
        }
        connection.append(expecting: body.count) { $0.append(body) }
    }

    /// Says whether the body is to follow.
    private func respond(
        _ status: Int, _ fields: HTTPFields, length: Int, on connection: Connection
    ) -> Bool {
        connection.discardBufferedBody()
        guard let plan = connection.machine.respond(status: status, length: length) else { return false }
        guard connection.appendHead(status, fields, and: responseFields, plan) else {
            self.status = 500
            var bare = plan
            bare.framing = .length(0)
            connection.appendHead(500, HTTPFields(), bare)
            return false
        }
        self.status = status
        if plan.sendsBody { bytesOut = length }
        return plan.sendsBody
    }

    /// Begins an answer whose length is not known: chunked, or until the close for HTTP/1.0.
    package func stream(_ status: Int, _ fields: HTTPFields = HTTPFields()) async throws -> ResponseStream {
        guard let connection, connection.isOpen else { throw ConnectionClosed() }
        connection.discardBufferedBody()
        if fields.fault != nil || responseFields.fault != nil { throw Problem.unsendableFields }
        guard let plan = connection.machine.respond(status: status, length: nil) else {
            throw Problem.answeredTwice
        }
        guard connection.appendHead(status, fields, and: responseFields, plan) else {
            hasFailed = true
            throw Problem.unsendableFields
        }
        self.status = status
        return ResponseStream(self, plan)
    }

    /// Turns the connection into a WebSocket. The socket ends when the handler returns.
    package func upgradeToWebSocket(
        _ fields: HTTPFields = HTTPFields(), messageLimit: Int? = nil
    ) async throws -> WebSocket {
        guard let connection, connection.isOpen else { throw ConnectionClosed() }
        let accept: String
        do throws(WebSocketHandshake.Fault) {
            accept = try WebSocketHandshake.accept(request)
        } catch {
            if error == .wrongVersion { responseFields.append("Sec-WebSocket-Version", "13") }
            throw Problem(.invalidRequest, code: "bad_handshake", error.reason.description)
        }
        var fields = fields
        fields.append("Upgrade", "websocket")
        fields.append("Sec-WebSocket-Accept", accept)
        if fields.fault != nil || responseFields.fault != nil { throw Problem.unsendableFields }
        guard connection.machine.upgrade() else { throw Problem.answeredTwice }
        status = 101
        connection.appendHead(
            101, fields, and: responseFields,
            ConnectionMachine.ResponsePlan(framing: .none, connection: .upgrade, sendsBody: false))
        let socket = WebSocket(
            connection, messageLimit: messageLimit ?? connection.limits.webSocketMessageBytes,
            ping: connection.limits.webSocketPing)
        webSocket = socket
        return socket
    }

    private var webSocket: WebSocket?

    // MARK: For the connection and the stream

    func noteSent(_ count: Int) { bytesOut += count }

    /// Ends a stream that its handler left open.
    func endStream() {
        guard let connection, case .started(let framing) = connection.machine.response else { return }
        if framing == .chunked, request.method != .head {
            connection.append(expecting: 8) { ChunkedEncoder.appendEnd(to: &$0) }
        }
        // Without chunks only a clean close tells the end.
        connection.machine.responseEnded()
    }

    /// The handler has returned: nothing that still holds this may speak on the connection.
    func end() {
        webSocket?.connectionEnds()
        webSocket = nil
        connection = nil
        goesOnAlone = nil
    }

    /// The server drains: a socket is told, because it would not end by itself.
    func drain() { webSocket?.close(.goingAway) }
}

extension Problem {
    fileprivate static let unsendableFields = Problem(
        .internal, code: "internal_error",
        "Something went wrong on our side. Quote the request id when you report it.",
        detail: "a response field holds a control character or belongs to the server")
    fileprivate static let answeredTwice = Problem(
        .internal, code: "internal_error",
        "Something went wrong on our side. Quote the request id when you report it.",
        detail: "a second answer to one request")
}
