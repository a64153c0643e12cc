import Base
import HTTPServer
import HTTPWire
import Identity
import JSON
import Loop

/// A client's socket: several requests at once, each under an id that the client chooses.
///
/// Every request has a task, which waits while the socket takes no more; and whoever waits reads nothing from its
/// provider.
// Confined to its loop.
final class ChatSocket: @unchecked Sendable {
    static let largestMessage = 4 * 1024 * 1024
    /// Requests that are answered at once.
    static let largestCallCount = 16
    static let longestID = 64

    private let socket: WebSocket
    private let exchange: Exchange
    /// The caller as it is now: a key that is revoked while the socket is open is refused from the next request on.
    private let caller: @Sendable () async throws -> Arrival
    private let gateway: Gateway
    private var calls: [String: Task<Void, Never>] = [:]
    private var callCount = 0

    init(
        _ socket: WebSocket, _ exchange: Exchange, _ gateway: Gateway,
        caller: @escaping @Sendable () async throws -> Arrival
    ) {
        self.socket = socket
        self.exchange = exchange
        self.caller = caller
        self.gateway = gateway
    }

    /// Until the socket ends; with it end all its requests.
    func run() async {
        do {
            while let message = try await socket.receive() {
                do throws(Breach) { try await take(message) } catch {
                    socket.close(error.code, reason: error.reason)
                    break
                }
            }
        } catch {
            gateway.logger.debug(
                "socket ended", ("request_id", "\(exchange.id)"), ("reason", "\(String(describing: error))"))
        }
        let tasks = Array(calls.values)
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    /// What a client does that makes no sense of the socket itself.
    private struct Breach: Error {
        var code: WebSocketCloseCode
        /// At most 123 bytes.
        var reason: String
    }

    // MARK: Messages

    private func take(_ message: WebSocket.Message) async throws(Breach) {
        guard case .text(let text) = message else {
            throw Breach(code: .unsupportedData, reason: "messages are text")
        }
        let document: JSONDocument
        do throws(JSONError) { document = try JSONDocument(parsing: text) } catch {
            throw Breach(code: .invalidText, reason: "a message is no JSON")
        }
        guard let id = document["id"]?.string, !id.isEmpty, id.unicodeScalars.count <= Self.longestID else {
            throw Breach(
                code: .policyViolation,
                reason: "a message needs an id, a string of at most \(Self.longestID) characters")
        }
        let type = document["type"]
        if type?.stringEquals("cancel") ?? false {
            calls[id]?.cancel()
        } else if type == nil || type?.stringEquals("generate") ?? false {
            try await begin(id, document)
        } else {
            await refuse(
                id,
                Problem(
                    faults: [Problem.Fault("type", "must be \"generate\", which is usual, or \"cancel\"")]))
        }
    }

    private func begin(_ id: String, _ document: JSONDocument) async throws(Breach) {
        guard calls[id] == nil else {
            throw Breach(code: .policyViolation, reason: "a request of this id is under way")
        }
        guard calls.count < Self.largestCallCount else {
            return await refuse(
                id,
                Problem(
                    .rateLimited, code: "too_many_requests",
                    "At most \(Self.largestCallCount) requests of one socket are answered at once. "
                        + "Wait until one has ended."))
        }
        callCount += 1
        let requestID = "\(exchange.id)-\(callCount)"
        calls[id] = exchange.loop.spawn { [self] in
            await answer(id, document, requestID)
            calls[id] = nil
        }
    }

    // MARK: Answers

    private func answer(_ id: String, _ document: JSONDocument, _ requestID: String) async {
        let front = GenerateFront(.socket(id: id))
        // The answers of a socket have no heads: what would stand there is nobody's.
        exchange.responseFields = HTTPFields()
        do {
            let arrival = try await caller()
            do {
                try await gateway.answer(
                    ReadRequest(try Self.request(in: document), as: front), as: front, for: arrival, exchange,
                    id: requestID,
                    sink: { [self] lines in try await send(lines) })
            } catch {
                try await gateway.confirmBeforeRefusing(arrival)
                throw error
            }
        } catch {
            if Task.isCancelled { return await end(id) }
            let problem = ErrorResponder.problem(error)
            if let detail = problem.detail {
                gateway.logger.debug(
                    "request refused", ("request_id", "\(requestID)"), ("code", "\(problem.code)"),
                    ("detail", "\(detail)"))
            }
            await refuse(id, problem, requestID)
        }
    }

    /// Without what belongs to the socket.
    private static func request(in document: JSONDocument) throws -> JSONDocument {
        try JSONDocument(parsing: document.patched([.remove(["id"]), .remove(["type"])]))
    }

    private func refuse(_ id: String, _ problem: Problem, _ requestID: String? = nil) async {
        await tell(id, "error") { json in
            json.key("error")
            GenerateWriter.writeError(problem, requestID: requestID ?? exchange.id, to: &json)
        }
    }

    /// The client has cancelled it.
    private func end(_ id: String) async {
        await tell(id, "end") { $0.field("finish_reason", "cancelled") }
    }

    private func tell(_ id: String, _ type: String, _ body: (inout JSONWriter) -> Void) async {
        var lines: [UInt8] = []
        GenerateFraming.socket(id: id).append(type, to: &lines, body)
        do { try await send(lines) } catch {
            // The socket is gone, and `run` finds that out.
            return
        }
    }

    private func send(_ lines: [UInt8]) async throws {
        for line in lines.split(separator: 0x0A) { try await socket.send(text: Array(line)) }
    }
}
