import Base
import HTTPWire
import Loop

extension Connection {
    /// Appends the next piece of the request's body to `piece`, waiting until there is some; false at the
    /// end.
    func readBody(into piece: inout [UInt8], limit: Int) async throws -> Bool {
        switch machine.bodyWanted(at: shared.loop.now) {
        case .empty, .alreadyTaken: return false
        case .read: break
        case .sendContinueAndRead:
            append(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
        }
        if let missing = bodyReader.missing, missing + bodyReader.received > limit {
            throw Problem.tooLarge(limit)
        }
        let before = piece.count
        while true {
            try takeBody(into: &piece)
            if bodyReader.received > limit { throw Problem.tooLarge(limit) }
            if bodyReader.isComplete {
                machine.bodyEnded()
                return piece.count > before
            }
            if piece.count > before { return true }
            try await readMore()
        }
    }

    /// To copy a smaller body costs less than another buffer for the answer.
    private static let smallestHandedOver = 4096

    /// Takes what has come of the body.
    private func takeBody(into piece: inout [UInt8]) throws {
        if inputStart == input.count { return }
        let before = bodyReader.received
        if piece.isEmpty, inputStart == 0, bodyReader.missing == input.count,
            input.count > Self.smallestHandedOver
        {
            // The input is the body: hand it over instead of copying it.
            swap(&piece, &input)
            bodyReader.advance(piece.count)
        } else {
            do throws(ChunkedFault) {
                try takeInput { piece.append($0) }
            } catch {
                throw Problem(.invalidRequest, code: "invalid_body", error.reason.description)
            }
        }
        if inputStart == input.count { releaseInput() }
        machine.bodyArrived(bodyReader.received - before)
    }

    /// Gives `take` what the input holds of the body.
    private func takeInput(_ take: (UnsafeRawBufferPointer) -> Void) throws(ChunkedFault) {
        let outcome = input.withUnsafeBytes { bytes -> Result<Int, ChunkedFault> in
            let rest = UnsafeRawBufferPointer(rebasing: bytes[inputStart...])
            do throws(ChunkedFault) {
                return .success(try bodyReader.read(rest, take))
            } catch {
                return .failure(error)
            }
        }
        inputStart += try outcome.get()
    }

    func lookAtBody(_ look: (UnsafeRawBufferPointer) -> Void) -> Bool {
        guard let count = bodyReader.missing, bodyReader.received == 0, input.count - inputStart >= count
        else {
            return false
        }
        input.withUnsafeBytes { look(UnsafeRawBufferPointer(rebasing: $0[inputStart..<inputStart + count])) }
        return true
    }

    /// Reads once into the input, waiting until there is something.
    private func readMore() async throws {
        while true {
            guard isOpen else { throw ConnectionClosed() }
            if canRead {
                switch transport.read(into: shared.scratch) {
                case .bytes(let count):
                    noteRead(count)
                    if inputStart == input.count { releaseInput() }
                    if input.capacity == 0 { input = shared.takeBuffer() }
                    input.append(UnsafeRawBufferPointer(rebasing: shared.scratch[..<count]))
                    return
                case .wouldBlock: canRead = false
                case .end, .failed:
                    _ = machine.peerLeft()
                    throw ConnectionClosed()
                }
            }
            do throws(WaitFailure) {
                try await arrived.wait(until: machine.deadline)
            } catch .timedOut {
                _ = machine.deadlinePassed()
                throw Problem(.timeout, code: "request_timeout", "The request's body did not come in time.")
            }
        }
    }

    /// A body that nobody asked for and that has come already does not cost the connection.
    func discardBufferedBody() {
        guard !bodyReader.isComplete, inputStart < input.count else { return }
        do throws(ChunkedFault) {
            try takeInput { _ in }
        } catch {
            // The body stays unfinished, and with it the connection ends after the answer.
            return
        }
        if bodyReader.isComplete { machine.bodyEnded() }
    }

    /// Reads what comes next on an upgraded connection into `bytes`; false at its end.
    func readRaw(into bytes: inout [UInt8]) async throws -> Bool {
        bytes.removeAll(keepingCapacity: true)
        if inputStart == input.count {
            do {
                try await readMore()
            } catch is ConnectionClosed {
                return false
            }
        }
        bytes.append(input[inputStart...])
        inputStart = input.count
        releaseInput()
        return true
    }
}

extension Problem {
    static func tooLarge(_ limit: Int) -> Problem {
        Problem(.tooLarge, code: "request_too_large", "The request's body is larger than \(limit) bytes.")
    }
}
