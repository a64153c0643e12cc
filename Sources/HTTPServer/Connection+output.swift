import Base
import HTTPWire
import Loop

extension Connection {
    /// Appends the head of a response. False, with nothing appended, where its fields cannot be sent.
    @inline(__always)
    @discardableResult
    func appendHead(
        _ status: Int, _ fields: HTTPFields, and others: HTTPFields = HTTPFields(),
        _ plan: ConnectionMachine.ResponsePlan
    ) -> Bool {
        // Nobody is left to read it.
        guard isOpen else { return true }
        prepareOutput()
        do throws(HTTPFields.FieldFault) {
            try output.append(expecting: 512) { (buffer) throws(HTTPFields.FieldFault) in
                try shared.appendHead(status: status, fields, others, plan, to: &buffer)
            }
            return true
        } catch {
            return false
        }
    }

    func append(_ bytes: [UInt8]) {
        guard isOpen else { return }
        prepareOutput()
        output.append(bytes)
    }

    /// Appends with `body`, which must only append.
    func append(expecting size: Int, _ body: (inout [UInt8]) -> Void) {
        guard isOpen else { return }
        prepareOutput()
        output.append(expecting: size, body)
    }

    @inline(__always)
    private func prepareOutput() {
        if !output.hasBuffer { output.adopt(shared.takeBuffer()) }
        if !isFlushScheduled {
            isFlushScheduled = true
            shared.flushAtTickEnd(self)
        }
    }

    /// Sends what the socket takes.
    func flush() {
        isFlushScheduled = false
        guard isOpen else { return }
        while canWrite, !output.isEmpty {
            let outcome = output.withFirst { transport.write($0, more: $1) }
            switch outcome {
            case .bytes(let count):
                output.consume(count)
                lastProgress = shared.loop.now
            case .wouldBlock:
                canWrite = false
            case .end, .failed:
                drop()
                return
            }
        }
        if output.isEmpty {
            shared.giveBack(output.surrender())
        } else {
            watchForStall()
        }
        if output.count <= limits.unsentLowWater, !blockedWriters.isEmpty { wakeWriters() }
    }

    private func wakeWriters() {
        let waiting = blockedWriters
        blockedWriters = []
        for waiter in waiting { waiter.wake() }
    }

    /// Waits while more is unsent than the high water mark, until no more is than the low one.
    func waitUntilSendable() async throws {
        if output.count <= limits.unsentHighWater {
            if !isOpen { throw ConnectionClosed() }
            return
        }
        flush()
        while isOpen, output.count > limits.unsentLowWater {
            let waiter = Waiter(shared.loop)
            blockedWriters.append(waiter)
            do throws(WaitFailure) {
                try await waiter.wait()
            } catch {
                blockedWriters.removeAll { $0 === waiter }
                throw error
            }
        }
        if !isOpen { throw ConnectionClosed() }
    }

    /// A client that takes nothing for the stall limit is dropped, whatever its handler is doing.
    private func watchForStall() {
        guard stallTimer == nil else { return }
        if lastProgress == .never { lastProgress = shared.loop.now }
        stallTimer = shared.loop.schedule(at: lastProgress + limits.writeStall) { [weak self] in
            self?.checkStall()
        }
    }

    private func checkStall() {
        stallTimer = nil
        guard isOpen, !output.isEmpty else { return }
        if lastProgress + limits.writeStall <= shared.loop.now { drop() } else { watchForStall() }
    }
}
