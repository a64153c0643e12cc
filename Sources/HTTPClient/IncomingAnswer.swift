import Base
import HTTPWire
import Loop

/// An answer while it comes. Whoever moves its bytes stores them here and wakes, no more; the task that has asked waits
/// here, and reads.
// Confined to its loop.
final class IncomingAnswer: @unchecked Sendable {
    /// Received and not yet read: above this the other side has to wait.
    static let highWater = 256 * 1024

    private let loop: EventLoop
    private let arrived: Waiter
    private var head: ResponseHead?
    private var received: [UInt8] = []
    private var end: End?
    private var started = Instant.never
    private var deadlines = HTTPClientRequest.Deadlines()
    private var silence: HTTPClientRequest.Silence?
    /// Is told that a reader has made room where there had been none.
    var source: (any AnswerSource)?

    private enum End {
        case whole
        case failed(HTTPClientError)
    }

    init(on loop: EventLoop) {
        self.loop = loop
        arrived = Waiter(loop)
    }

    /// Makes it ready for the answer to `request`.
    func begin(_ request: HTTPClientRequest) {
        reset()
        started = loop.now
        deadlines = request.deadlines
        silence = request.silence
    }

    /// Forgets a failure: the request is sent once more, in what is left of its time.
    func beginAgain() { end = nil }

    func reset() {
        head = nil
        end = nil
        received.removeAll(keepingCapacity: received.capacity <= Self.highWater)
        silence = nil
        source = nil
    }

    // MARK: For whoever moves the bytes

    var isFull: Bool { received.count >= Self.highWater }

    /// Whether anything of it has come.
    var hasBegun: Bool { head != nil }

    func began(_ head: ResponseHead) {
        self.head = head
        arrived.wake()
    }

    func receive(_ bytes: UnsafeRawBufferPointer) {
        received.append(bytes)
        arrived.wake()
    }

    /// All of it has come.
    func ended() {
        end = .whole
        arrived.wake()
    }

    /// Nothing more will come.
    func failed(_ error: HTTPClientError) {
        guard end == nil else { return }
        end = .failed(error)
        arrived.wake()
    }

    // MARK: For the reader

    func waitForHead() async throws(HTTPClientError) -> ResponseHead {
        while true {
            if let head { return head }
            try throwFailure()
            try await wait(for: deadlines.firstByte, from: started, late: .firstByteTimeout)
        }
    }

    /// Waits until all is said, where nothing is to be read.
    func waitForEnd() async throws(HTTPClientError) {
        while end == nil { try await wait(for: deadlines.firstByte, from: started, late: .firstByteTimeout) }
        try throwFailure()
    }

    func next() async throws(HTTPClientError) -> [UInt8]? {
        let since = loop.now
        while received.isEmpty {
            if case .whole = end { return nil }
            try throwFailure()
            try await wait(for: deadlines.betweenBytes, from: since, late: .betweenBytesTimeout)
        }
        let wasFull = isFull
        var piece: [UInt8] = []
        swap(&piece, &received)
        if wasFull { source?.readerMadeRoom() }
        return piece
    }

    private func throwFailure() throws(HTTPClientError) {
        if case .failed(let error) = end { throw error }
    }

    private func wait(
        for limit: Duration, from start: Instant, late: HTTPClientError.Kind
    ) async throws(HTTPClientError) {
        let end = started + deadlines.total
        let deadline = min(start + limit, end)
        var sign = silence.map { loop.now + $0.interval } ?? .never
        while true {
            do throws(WaitFailure) {
                return try await arrived.wait(until: min(deadline, sign))
            } catch {
                if error == .cancelled { throw HTTPClientError(.cancelled, mayHaveExecuted: true) }
            }
            guard let silence, sign < deadline else {
                throw HTTPClientError(deadline == end ? .totalTimeout : late, mayHaveExecuted: true)
            }
            do { try await silence.sign() } catch {
                // Nobody is there any more for whom to wait.
                throw HTTPClientError(.cancelled, mayHaveExecuted: true)
            }
            sign = loop.now + silence.interval
        }
    }
}

/// Who moves the bytes of an answer.
protocol AnswerSource: AnyObject {
    func readerMadeRoom()
}
