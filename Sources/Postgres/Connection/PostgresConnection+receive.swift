import CPostgres
import Loop

extension PostgresConnection {
    func ready(_ readiness: Readiness) {
        if readiness.canWrite, push() { scheduleFlush() }
        if readiness.canRead || readiness.hasPeerLeft { readAvailable() }
    }

    func readAvailable() {
        guard let handle else { return }
        let isAlive = PQconsumeInput(handle) == 1
        let message = isAlive ? "" : PostgresError.trimmed(PQerrorMessage(handle))
        receive()
        deliverAsynchronous()
        if !isAlive { lose(PostgresError(.connectionLost, message)) }
        if !queued.isEmpty { scheduleFlush() }
    }

    private func receive() {
        while let handle, let exchange = inFlight.first {
            // In this state libpq gives the same result for ever, and the server is silent until the copy
            // ends.
            if exchange.isCopyOpen { return }
            guard PQisBusy(handle) == 0 else { return }
            if let result = PQgetResult(handle) {
                take(result, for: exchange)
            } else if exchange.isExclusive {
                guard PQenterPipelineMode(handle) == 1 else {
                    return lose(PostgresError(.protocolViolation, "libpq does not go back to pipeline mode"))
                }
                finishFirst()
            } else {
                exchange.advance()
            }
        }
    }

    private func take(_ result: OpaquePointer, for exchange: Exchange) {
        let status = PQresultStatus(result)
        switch status {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            takeSuccess(PostgresRows(result), for: exchange)
            return
        case PGRES_PIPELINE_SYNC:
            PQclear(result)
            finishFirst()
            return
        case PGRES_COPY_IN where exchange.isExclusive:
            openCopy(exchange)
        case PGRES_PIPELINE_ABORTED:
            takeFailure(
                PostgresError(.skipped, "an earlier statement of the same pipeline failed"), for: exchange)
        case PGRES_FATAL_ERROR:
            let error = PostgresError(result: result, statement: statementText(of: exchange))
            if error.sqlState == nil {
                lose(error)
            } else {
                takeFailure(error, for: exchange)
            }
        default:
            lose(
                PostgresError(
                    .protocolViolation, "an answer nobody asked for (COPY runs through copy(into:))"))
        }
        PQclear(result)
    }

    private func openCopy(_ exchange: Exchange) {
        if case .script = exchange.work {
            return lose(PostgresError(.protocolViolation, "a script must not COPY from standard input"))
        }
        exchange.isCopyOpen = true
        if exchange.isAbandoned {
            endCopy(exchange, because: "nobody waits for it")
        } else {
            exchange.waiter.wake()
        }
    }

    private func takeSuccess(_ rows: PostgresRows, for exchange: Exchange) {
        switch exchange.step {
        case .prepare(let key, let isNamed, _): if isNamed { cache.prepared(key) }
        case .deallocate: break
        case .execute, nil: exchange.append(rows)
        }
    }

    private func takeFailure(_ error: PostgresError, for exchange: Exchange) {
        exchange.fail(error)
        switch exchange.step {
        case .prepare(let key, let isNamed, _): if isNamed { cache.preparationFailed(key) }
        case .deallocate(let name): if error.sqlState != "26000" { cache.deallocationFailed(name) }
        case .execute(let key, _):
            if error.kind == .staleStatement { cache.forget(key, serverHasIt: error.sqlState != "26000") }
        case nil: break
        }
    }

    private func statementText(of exchange: Exchange) -> String? {
        switch exchange.step {
        case .prepare(_, _, let statement), .execute(_, let statement): exchange.text(of: statement)
        case .deallocate(let name): "DEALLOCATE \(name)"
        case nil: exchange.text(of: 0)
        }
    }

    private func finishFirst() {
        inFlight.removeFirst().finish()
        if let next = inFlight.first, next.isAbandoned { cancelOnServer() }
        if !queued.isEmpty { scheduleFlush() }
        wakeIfQuiet()
    }

    /// Notifications and notices, after libpq has been left: a handler may do as it likes.
    func deliverAsynchronous() {
        for notice in notices.take() {
            if notice.isFatal { farewell = notice.error }
            onNotice?(notice)
        }
        while let handle, let notification = PQnotifies(handle) {
            let value = PostgresNotification(notification.pointee)
            PQfreemem(notification)
            onNotification?(value)
        }
    }
}
