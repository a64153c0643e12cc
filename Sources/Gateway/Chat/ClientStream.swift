import Base
import Chat
import HTTPServer
import HTTPWire
import Providers

/// The stream to a client, which begins with the first thing there is to say: until then all can still be told by a
/// status, or tried again elsewhere.
// Confined to its loop.
final class ClientStream: @unchecked Sendable {
    private let exchange: Exchange
    private let front: any ChatFront
    private var stream: ResponseStream?
    /// Where the stream goes instead of the exchange's answer.
    private let sink: Sink?
    private var hasWrittenToSink = false
    /// Where others read along.
    var lead: LeadingAnswer?
    private let requestID: String

    /// A client who has as much to take still is slow.
    private static let unsentOfSlow = 64 << 10

    typealias Sink = @Sendable ([UInt8]) async throws -> Void
    /// Who knows how what was sent so far is to end.
    var teller: Teller?
    private let model: String
    private let created: Timestamp
    /// What has to be done before the client sees the end; nil: nothing.
    var beforeEnd: BeforeEnd?
    /// The end, as long as that is not done.
    private var heldEnd: HeldEnd?
    private var hasEnded = false

    private enum HeldEnd {
        /// The last of a stream.
        case piece([UInt8])
        case answer(status: Int, body: [UInt8], type: String)
    }

    enum Teller {
        case watcher(any StreamWatcher)
        case encoder(any ChatStreamEncoder)
    }

    private static let type = "text/event-stream; charset=utf-8"
    private static let fields: HTTPFields = [
        "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache",
        // Proxies that collect an answer before they pass it on are asked not to.
        "X-Accel-Buffering": "no",
    ]

    init(
        _ exchange: Exchange, _ front: any ChatFront, model: String, at created: Timestamp, id: String? = nil,
        sink: Sink? = nil
    ) {
        self.sink = sink
        requestID = id ?? exchange.id
        self.exchange = exchange
        self.front = front
        self.model = model
        self.created = created
    }

    /// Whether others are answered on the same exchange.
    var isOneOfSeveral: Bool { sink != nil }

    var hasBegun: Bool {
        stream != nil || hasWrittenToSink || heldEnd != nil || lead?.hasBegun ?? false
    }

    func write(_ bytes: [UInt8]) async throws { try await write(bytes, isEnd: false) }

    private func write(_ bytes: [UInt8], isEnd: Bool) async throws {
        if bytes.isEmpty || hasEnded { return }
        if isEnd { hasEnded = true }
        if let sink {
            hasWrittenToSink = true
            return try await sink(bytes)
        }
        guard let lead else { return try await send(bytes) }
        let isSlow = (stream?.unsentBytes ?? 0) + bytes.count > Self.unsentOfSlow
        try await lead.write(bytes, type: Self.type, isSlow: isSlow, isEnd: isEnd, exchange) {
            try await self.send($0)
        }
    }

    // MARK: The end

    /// The last of a stream, behind which nothing comes. It waits where something has to be done before.
    func end(_ bytes: [UInt8]) async throws {
        if beforeEnd?.isDue ?? false, !bytes.isEmpty {
            if heldEnd == nil { heldEnd = .piece(bytes) }
        } else {
            try await write(bytes, isEnd: true)
        }
    }

    /// A whole answer, which is its own end.
    func respond(_ status: Int, _ body: [UInt8], type: String) {
        if beforeEnd?.isDue ?? false {
            if heldEnd == nil { heldEnd = .answer(status: status, body: body, type: type) }
        } else {
            give(status, body, type)
        }
    }

    private func give(_ status: Int, _ body: [UInt8], _ type: String) {
        // What went wrong for one may go well for others.
        if status == 200 { lead?.take(body, type: type, exchange) }
        exchange.responseFields.replace(known: "Content-Type", type)
        exchange.respond(status, body: body)
    }

    /// Does what has to be done, if it was not yet, and gives the client the end.
    func finish() async throws {
        guard let beforeEnd else { return }
        await beforeEnd.run()
        let held = heldEnd
        heldEnd = nil
        switch held {
        case .piece(let bytes): try await write(bytes, isEnd: true)
        case .answer(let status, let body, let type): give(status, body, type)
        case nil: break
        }
    }

    private func send(_ bytes: [UInt8]) async throws {
        let stream: ResponseStream
        if let begun = self.stream {
            stream = begun
        } else {
            stream = try await exchange.stream(200, Self.fields)
            self.stream = stream
        }
        try await stream.write(bytes)
    }

    /// Says that somebody is still at work.
    func keepAlive() async throws { try await write(front.keepAlive) }

    /// Ends a stream that has begun, and in which something went wrong: never like one that is whole.
    func fail(_ problem: Problem) async throws {
        // All of it has come, whatever its provider does behind it.
        if heldEnd != nil || hasEnded { return }
        var end: [UInt8] = []
        switch teller {
        case .watcher(let watcher): end = watcher.failure(problem, requestID: requestID)
        case .encoder(var encoder): encoder.fail(problem, into: &end)
        case nil:
            // No upstream has said anything yet.
            let request = ChatRequest(model: model, messages: [])
            let context = ReplyContext(request, requestID: requestID, created: created)
            var encoder = front.streamEncoder(context)
            encoder.fail(problem, into: &end)
        }
        try await self.end(end)
    }
}
