import Base
import Cache
import HTTPServer
import HTTPWire
import Loop

/// The answer of one whose question others ask too, while it is being made.
///
/// As long as nobody has joined, the client gets everything directly. With the first who joins, the client becomes a
/// reader like the others: each has its own pace, and whoever leaves leaves the others their answer.
// Confined to its loop.
final class LeadingAnswer: @unchecked Sendable {
    private let flight: Flight
    private let reader: SharedAnswer.Reader
    private let loop: EventLoop
    private(set) var hasBegun = false
    /// What the client got before anybody joined.
    private var directCount = 0
    /// Gives the client what it reads, once somebody has joined.
    private var pump: Task<Void, Never>?
    private var hasClientLeft = false

    init(_ flight: Flight, _ reader: SharedAnswer.Reader, _ exchange: Exchange) {
        self.flight = flight
        self.reader = reader
        loop = exchange.loop
        exchange.goesOnAlone = { [weak self] in self?.clientLeft() ?? false }
        flight.answer.whenAbandoned { [loop, exchange] in
            loop.execute { exchange.cancel() }
        }
    }

    /// Whether others go on reading.
    private func clientLeft() -> Bool {
        guard flight.answer.readerCount > 1 || pump != nil else { return false }
        hasClientLeft = true
        pump?.cancel()
        reader.leave()
        // The last reader's leaving has cancelled the answer.
        return true
    }

    // MARK: Making

    /// More of a stream; `send` gives it to the client, who may be too slow to take it at once.
    ///
    /// - Parameter isEnd: whether nothing comes behind it, so that those who read along know it as the end.
    func write(
        _ bytes: [UInt8], type: String, isSlow: Bool, isEnd: Bool = false, _ exchange: Exchange,
        _ send: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        begin(type, exchange)
        guard pump == nil, !hasClientLeft else {
            try await flight.answer.room()
            return append(bytes, isEnd)
        }
        append(bytes, isEnd)
        // Nobody who joins is to wait for a client that is slow.
        if flight.answer.readerCount == 1, !isSlow {
            directCount += 1
            try await send(bytes)
        } else {
            pump = startPump(send)
        }
    }

    private func append(_ bytes: [UInt8], _ isEnd: Bool) {
        if isEnd { flight.answer.finish(with: bytes) } else { flight.answer.append(bytes) }
    }

    /// A whole answer.
    func take(_ body: [UInt8], type: String, _ exchange: Exchange) {
        begin(type, exchange)
        flight.answer.append(body)
    }

    private func begin(_ type: String, _ exchange: Exchange) {
        if hasBegun { return }
        hasBegun = true
        flight.answer.begin(AnswerHead(type: type, fields: exchange.responseFields))
    }

    private func startPump(_ send: @escaping @Sendable ([UInt8]) async throws -> Void) -> Task<Void, Never> {
        loop.spawn { [reader, directCount] in
            do {
                for _ in 0..<directCount { _ = try await reader.next() }
                while let piece = try await reader.next() { try await send(piece) }
            } catch {
                // The client is too slow, or gone: the others go on.
                reader.leave()
            }
        }
    }

    // MARK: Ending

    /// It is whole. Those who ask the same until `close` find it here.
    func finish() async {
        flight.answer.finish()
        await pump?.value
    }

    /// From now on it is found where answers are kept.
    func close() { flight.close() }

    func fail(_ error: any Error) async {
        flight.fail(error)
        await pump?.value
    }
}
