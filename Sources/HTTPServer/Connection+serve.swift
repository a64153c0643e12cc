import Base
import HTTPWire
import Loop

extension Connection {
    /// A request whose head has come, and what its address leads to: nothing where it is answered already.
    struct Request {
        let exchange: Exchange
        let route: Result<Route?, any Error>
        /// What its route's beginning has left to be run.
        var rest: Handler?
    }

    func open(_ head: RequestHead) -> Request {
        machine.headArrived(head)
        if !parser.hasRepeated {
            headNotes = nil
            match = shared.configuration.router.match(head)
        }
        bodyReader = BodyReader(head.framing)
        let exchange = Exchange(head, on: self)
        self.exchange = exchange
        return Request(exchange: exchange, route: Result { try match.route(exchange) })
    }

    /// Runs one request from its head to the end of its answer.
    func serve(_ request: Request) async {
        // Who has left already gets an answer only where it takes no waiting.
        if machine.peerHasLeft { cancel() }
        let exchange = request.exchange
        do {
            if let route = try request.route.get() {
                try await run(request.rest ?? route.handler, of: route, exchange)
            }
            conclude(exchange)
        } catch {
            conclude(exchange, after: error)
        }
    }

    /// Sees to it that a request whose handler has returned has an answer with an end.
    func conclude(_ exchange: Exchange, after error: (any Error)? = nil) {
        if let error = error ?? (machine.isCommitted ? nil : Problem.noAnswer) { failed(error, exchange) }
        if case .started = machine.response, !exchange.hasFailed { exchange.endStream() }
        discardBufferedBody()
        finish(exchange)
    }

    /// An error before the answer is answered; one after it breaks the answer off.
    private func failed(_ error: any Error, _ exchange: Exchange) {
        if machine.isCommitted {
            exchange.hasFailed = true
            return
        }
        if !isOpen || machine.peerHasLeft {
            exchange.hasFailed = true
            return
        }
        let isOurs = Task.isCancelled && (error is WaitFailure || error is CancellationError)
        shared.configuration.errorResponder(isOurs ? Problem.draining : error, exchange)
        if !machine.isCommitted { exchange.respond(500) }
    }

    private func finish(_ exchange: Exchange) {
        self.exchange = nil
        let wasComplete = machine.response == .complete || machine.response == .upgraded
        let phase = machine.handlerReturned(at: shared.loop.now)
        if case .ending(let ending) = phase, ending != .linger, !wasComplete { exchange.hasFailed = true }
        exchange.end()
        if let onFinish = shared.configuration.onFinish {
            onFinish(
                ExchangeRecord(
                    exchange: exchange, status: exchange.status, bytesIn: bodyReader.received,
                    bytesOut: exchange.bytesOut,
                    duration: .now() - exchange.started, aborted: exchange.hasFailed))
        }
    }

    /// Sends what is left, lingers where the client may still be sending, and closes.
    func finish() async {
        flush()
        while isOpen, !output.isEmpty {
            if Task.isCancelled { break }
            let waiter = Waiter(shared.loop)
            blockedWriters.append(waiter)
            do throws(WaitFailure) { try await waiter.wait() } catch { break }
        }
        if case .ending(.linger) = machine.phase, isOpen, !Task.isCancelled { await linger() }
        if case .ending(.reset) = machine.phase { end(reset: true) }
        end(reset: !output.isEmpty)
        // It was handed to a task that had just been cancelled.
        if let request = handedOver {
            handedOver = nil
            conclude(request.exchange)
        }
        task = nil
    }

    private func linger() async {
        transport.shutdownWrite()
        let deadline = shared.loop.now + limits.lingerDeadline
        var left = limits.lingerBytes
        while left > 0, isOpen {
            switch transport.read(into: shared.scratch) {
            case .bytes(let count): left -= count
            case .end, .failed: return
            case .wouldBlock:
                do throws(WaitFailure) { try await arrived.wait(until: deadline) } catch { return }
            }
            // One that never stops sending must not hold the loop.
            if left > 0, shared.loop.now >= deadline { return }
            await Task.yield()
        }
    }

    /// Ends the connection at once. Whoever waits on it learns that it is gone.
    func end(reset: Bool) {
        guard isOpen else { return }
        isOpen = false
        if reset { transport.reset() } else { transport.close() }
        if let stallTimer { shared.loop.cancel(stallTimer) }
        stallTimer = nil
        output.removeAll()
        input = []
        shared.remove(self)
        shared.counter.leave(peer)
        for waiter in blockedWriters { waiter.wake() }
        blockedWriters = []
        arrived.wake()
    }

    /// Ends the connection and its handler.
    func drop() {
        end(reset: true)
        cancel()
    }
}

/// The connection is gone: there is nobody to read from or to write to.
package struct ConnectionClosed: Error, Equatable, Sendable {}

extension Problem {
    fileprivate static let noAnswer = Problem(
        .internal, code: "internal_error",
        "Something went wrong on our side. Quote the request id when you report it.",
        detail: "the handler returned without an answer")

    fileprivate static let draining = Problem(
        .unavailable, code: "server_draining", "This server is being stopped. Send the request again.",
        retryAfterSeconds: 1)
}
