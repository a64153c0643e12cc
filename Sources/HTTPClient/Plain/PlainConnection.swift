import Base
import HTTPWire
import Loop

/// A connection without TLS to another server, for one request after the other. libcurl has made it; the bytes are ours.
// Confined to its loop.
final class PlainConnection: AnswerSource, @unchecked Sendable {
    let origin: String
    /// Whom it leads to.
    let peer: IPAddress?
    private let pool: PlainConnections
    private let descriptor: Int32
    private var registration: Registration?
    private(set) var idleSince = Instant.never
    /// Whether it has carried a request before this one.
    private(set) var isReused = false
    /// Whether anything has come of the answer.
    private(set) var hasHeard = false

    // What the socket can do, as far as is known.
    private var canRead = false
    private var canWrite = true
    private var hasPeerLeft = false
    private var hasFailed = false

    // The request under way.
    private var output: [UInt8] = []
    private var outputStart = 0
    private var rest: [UInt8] = []
    private var upload: HTTPUpload?
    private var isUploadDone = true

    // Its answer.
    private var answer: IncomingAnswer?
    private var isToHEAD = false
    private var parser = ResponseHeadParser()
    /// What has come of a head that is not whole.
    private var headBytes: [UInt8] = []
    private var body = BodyReader()
    private var keepsAlive = false

    /// Takes over `descriptor`.
    init(
        _ descriptor: Int32, to origin: String, at peer: IPAddress?, in pool: PlainConnections
    ) throws(HTTPClientError) {
        self.descriptor = descriptor
        self.origin = origin
        self.peer = peer
        self.pool = pool
        do throws(SystemError) {
            registration = try pool.loop.register(
                descriptor, [.read, .write, .peerClosed, .edgeTriggered]
            ) { [unowned self] in ready($0) }
        } catch {
            Socket.close(descriptor)
            throw HTTPClientError(.connect, detail: "\(error)")
        }
    }

    deinit { close() }

    func close() {
        guard let registration else { return }
        self.registration = nil
        pool.loop.deregister(registration)
        Socket.close(descriptor)
    }

    private func ready(_ readiness: Readiness) {
        if readiness.hasPeerLeft { hasPeerLeft = true }
        if readiness.canWrite, !canWrite {
            canWrite = true
            flush()
        }
        guard readiness.canRead || hasPeerLeft else { return }
        canRead = true
        if answer == nil {
            // Nothing was asked: the other side has closed a kept connection, or speaks out of turn.
            pool.forget(self)
            close()
        } else {
            readOn()
        }
    }

    // MARK: Sending

    /// Sends `request`, whose answer goes to `answer`.
    func send(_ request: PlainRequest, for answer: IncomingAnswer) {
        self.answer = answer
        answer.source = self
        hasHeard = false
        isReused = idleSince != .never
        isToHEAD = request.isHEAD
        output = request.start
        rest = request.rest
        upload = request.upload
        isUploadDone = upload == nil
        upload?.onData = { [weak self] in self?.flush() }
        flush()
    }

    private func flush() {
        while canWrite, prepareOutput() {
            let outcome = output.withUnsafeBytes {
                Socket.write(
                    descriptor, UnsafeRawBufferPointer(rebasing: $0[outputStart...]), more: !rest.isEmpty)
            }
            switch outcome {
            case .bytes(let count): outputStart += count
            case .wouldBlock: canWrite = false
            case .end, .failed:
                canWrite = false
                hasFailed = true
                // What the other side has said before it left still counts.
                canRead = true
                readOn()
            }
        }
    }

    /// Whether there is something to write.
    private func prepareOutput() -> Bool {
        guard outputStart == output.count else { return true }
        outputStart = 0
        output = rest
        rest = []
        if output.isEmpty { takeUpload() }
        return !output.isEmpty
    }

    private func takeUpload() {
        guard let upload, !isUploadDone else { return }
        switch upload.read(into: pool.scratch) {
        case nil: break
        case 0:
            isUploadDone = true
            ChunkedEncoder.appendEnd(to: &output)
        case .some(let count):
            ChunkedEncoder.append(UnsafeRawBufferPointer(rebasing: pool.scratch[..<count]), to: &output)
        }
    }

    private var isSent: Bool { outputStart == output.count && rest.isEmpty && isUploadDone }

    // MARK: Receiving

    func readerMadeRoom() { readOn() }

    private func readOn() {
        while canRead, let answer, !answer.isFull {
            switch Socket.read(descriptor, into: pool.scratch) {
            case .bytes(let count):
                hasHeard = true
                // A short read has emptied the socket, unless its end is still to be read.
                canRead = count == pool.scratch.count || hasPeerLeft || hasFailed
                take(UnsafeRawBufferPointer(rebasing: pool.scratch[..<count]), for: answer)
            case .wouldBlock:
                canRead = false
                if hasFailed { lose(.sendFailed, "the request could not be written") }
            case .end:
                canRead = false
                if body.endsWithConnection {
                    finish(answer, isLast: true)
                } else {
                    lose(.connectionLost, "closed")
                }
            case .failed(let code):
                canRead = false
                lose(.connectionLost, "\(SystemError("recv", code: code))")
            }
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer, for answer: IncomingAnswer) {
        var used = 0
        if !answer.hasBegun {
            guard let end = takeHead(bytes, for: answer) else { return }
            used = end
        }
        do throws(ChunkedFault) {
            used += try body.read(UnsafeRawBufferPointer(rebasing: bytes[used...])) { answer.receive($0) }
        } catch {
            return lose(.protocolError, "\(error.reason)")
        }
        if body.isComplete { finish(answer, isLast: used < bytes.count) }
    }

    /// How much of `bytes` belongs to the head; `nil` while it is not whole.
    private func takeHead(_ bytes: UnsafeRawBufferPointer, for answer: IncomingAnswer) -> Int? {
        let before = headBytes.count
        let progress: ResponseHeadParser.Progress
        if before == 0 {
            progress = parser.parse(bytes)
        } else {
            headBytes.append(bytes)
            progress = headBytes.withUnsafeBytes { parser.parse($0) }
        }
        switch progress {
        case .needMore:
            if before == 0 { headBytes.append(bytes) }
            return nil
        case .head(let head, let consumed):
            keepsAlive = head.keepsAlive
            body = BodyReader(isToHEAD ? .none : head.framing)
            answer.began(head)
            return consumed - before
        case .fault(let fault):
            fail(HTTPClientError(fault))
            return nil
        }
    }

    // MARK: The end

    /// The answer is whole. The connection is kept, unless it is the last of it.
    private func finish(_ answer: IncomingAnswer, isLast: Bool) {
        let isReusable = keepsAlive && !isLast && isSent && !hasPeerLeft && !hasFailed
        detach()
        answer.ended()
        if isReusable {
            idleSince = pool.loop.now
            pool.keep(self)
        } else {
            close()
        }
    }

    private func lose(_ kind: HTTPClientError.Kind, _ detail: String) {
        fail(HTTPClientError(kind, mayHaveExecuted: true, detail: detail))
    }

    private func fail(_ error: HTTPClientError) {
        let answer = answer
        detach()
        answer?.failed(error)
        close()
    }

    /// Whoever asked has gone: an answer that is not whole ends its connection.
    func leave(_ answer: IncomingAnswer) {
        guard self.answer === answer else { return }
        detach()
        close()
    }

    private func detach() {
        answer?.source = nil
        answer = nil
        upload?.onData = nil
        upload = nil
        isUploadDone = true
        output = []
        outputStart = 0
        rest = []
        parser = ResponseHeadParser()
        headBytes = []
        body = BodyReader()
    }
}
