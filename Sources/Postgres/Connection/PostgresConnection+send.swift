import Base
import CPostgres
import Loop

extension PostgresConnection {
    func scheduleFlush() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.atTickEnd { [self] in
            isFlushScheduled = false
            flush()
        }
    }

    func flush() {
        while let next = queued.first, mayStart(next), let handle {
            queued.removeFirst()
            inFlight.append(next)
            next.isSent = true
            guard start(next, on: handle) else {
                return lose(PostgresError(.connectionLost, PostgresError.trimmed(PQerrorMessage(handle))))
            }
        }
        push()
    }

    /// Nothing new is sent while a cancellation is under way: it would hit the newcomer.
    private func mayStart(_ exchange: Exchange) -> Bool {
        guard !wantsWrite, !isCancelling else { return false }
        guard let last = inFlight.last else { return true }
        return !exchange.isExclusive && !last.isExclusive
    }

    private func start(_ exchange: Exchange, on handle: OpaquePointer) -> Bool {
        switch exchange.work {
        case .statements(let statements):
            for (index, statement) in statements.enumerated() {
                guard send(statement, index, of: exchange, on: handle) else { return false }
            }
            return PQpipelineSync(handle) == 1
        case .script(let text), .copy(let text):
            return PQexitPipelineMode(handle) == 1 && PQsendQuery(handle, text) == 1
        }
    }

    private func send(_ statement: SQL, _ index: Int, of exchange: Exchange, on handle: OpaquePointer) -> Bool
    {
        let bindings = statement.bindings
        let key = StatementCache.Key(text: statement.text, types: bindings.types)
        let name: String
        switch statement.isKeptPrepared ? cache.plan(key, segment: exchange.number) : .unnamed {
        case .use(let prepared): name = prepared
        case .unnamed:
            name = ""
            guard prepare(key, name, index, of: exchange, on: handle) else { return false }
        case .prepare(let fresh, let evicted):
            name = fresh
            for victim in evicted {
                exchange.steps.append(.deallocate(name: victim))
                guard PQsendQueryParams(handle, "DEALLOCATE \(victim)", 0, nil, nil, nil, nil, 1) == 1 else {
                    return false
                }
            }
            guard prepare(key, name, index, of: exchange, on: handle) else { return false }
        }
        exchange.steps.append(.execute(key, statement: index))
        return bindings.withPointers { values in
            PQsendQueryPrepared(
                handle, name, Int32(bindings.count), values, bindings.lengths, bindings.formats,
                PostgresFormat.binary.rawValue)
        } == 1
    }

    private func prepare(
        _ key: StatementCache.Key, _ name: String, _ index: Int, of exchange: Exchange,
        on handle: OpaquePointer
    ) -> Bool {
        exchange.steps.append(.prepare(key, isNamed: !name.isEmpty, statement: index))
        return PQsendPrepare(handle, name, key.text, Int32(key.types.count), key.types) == 1
    }

    /// Writes what libpq holds; asks for the socket's readiness where it does not take everything. Whoever waits for that is
    /// woken, whoever it was that wrote the rest.
    @discardableResult
    func push() -> Bool {
        guard let handle else { return false }
        let outcome = PQflush(handle)
        guard outcome >= 0 else {
            // What the server said before it left may still be readable; the loss is noticed there.
            readAvailable()
            lose(PostgresError(.connectionLost, "the connection broke while sending"))
            return false
        }
        let wants = outcome == 1
        if wants != wantsWrite, let registration {
            wantsWrite = wants
            do throws(SystemError) {
                try loop.update(registration, wants ? [.read, .write] : .read)
            } catch {
                lose(PostgresError(.connectionLost, "\(error)"))
                return false
            }
            if !wants { writable.wake() }
        }
        return !wants
    }
}
