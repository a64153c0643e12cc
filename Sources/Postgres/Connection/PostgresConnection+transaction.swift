package import Base
import Loop

extension PostgresConnection {
    /// How often a transaction is run in all when others are in its way.
    package static let transactionAttempts = 4
    /// The pause before the n-th retry is random, up to n times this.
    private static let retryPause = Duration.milliseconds(20)

    /// Runs `body` between BEGIN and COMMIT, as `tenant` where there is one: row security sees `app.org_id`
    /// until the end of the transaction and no longer. When `body` throws, nothing of it remains.
    ///
    /// A serialization failure or deadlock runs `body` again, up to 3 times: it must do nothing outside the
    /// database that a second run would double. Never after a COMMIT whose outcome is unknown.
    @discardableResult
    package func transaction<Value>(
        tenant: UUID? = nil, isolation: PostgresTransaction.Isolation = .readCommitted,
        readOnly: Bool = false,
        _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        var attempt = 1
        while true {
            let transaction = PostgresTransaction(self)
            do {
                try await begin(tenant, isolation, readOnly)
                return try await finish(transaction, body)
            } catch {
                let isRetryable =
                    transaction.retryableFailure != nil || (error as? PostgresError)?.isRetryable == true
                guard isRetryable, !transaction.isDoomed, isOpen, attempt < Self.transactionAttempts,
                    (error as? PostgresError)?.kind != .commitOutcomeUnknown
                else { throw error }
            }
            try await pauseBeforeRetry(attempt)
            attempt += 1
        }
    }

    private func pauseBeforeRetry(_ attempt: Int) async throws(PostgresError) {
        let longest: Int64 = Self.retryPause.nanoseconds * Int64(attempt)
        let pause = Duration.nanoseconds(Int64.random(in: 0...longest))
        do throws(WaitFailure) {
            try await loop.sleep(for: pause)
        } catch {
            throw PostgresError(.cancelled, "the task was cancelled between two attempts")
        }
    }

    private func begin(
        _ tenant: UUID?, _ isolation: PostgresTransaction.Isolation, _ readOnly: Bool
    ) async throws(PostgresError) {
        let access = readOnly ? "READ ONLY" : "READ WRITE"
        var statements: [SQL] = [
            .control("BEGIN ISOLATION LEVEL \(unsafeSQL: isolation.rawValue) \(unsafeSQL: access)")
        ]
        if let tenant { statements.append("SELECT set_config('app.org_id', \(tenant.description), true)") }
        do throws(PostgresError) {
            _ = try await atomically(statements)
        } catch {
            rollBackUnwatched()
            // A transaction that only began has changed nothing.
            var failure = error
            failure.mayHaveExecuted = false
            throw failure
        }
    }

    private func finish<Value>(
        _ transaction: PostgresTransaction, _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        let value: Value
        do {
            value = try await body(transaction)
        } catch {
            transaction.end()
            rollBackUnwatched()
            throw error
        }
        transaction.end()
        guard !transaction.isDoomed else {
            rollBackUnwatched()
            throw transaction.firstFailure
                ?? PostgresError(.transactionAborted, "a statement was left in the middle")
        }
        try await commit(transaction)
        return value
    }

    /// Nobody waits for it: the next statement on this connection comes after it, and the pool looks before
    /// it passes the connection on.
    private func rollBackUnwatched() {
        guard isOpen else { return }
        // Where the queue is full, the pool finds the open transaction and rolls it back itself.
        _ = try? enqueue(.statements([.control("ROLLBACK")]))
    }

    private func commit(_ transaction: PostgresTransaction) async throws(PostgresError) {
        let exchange = try enqueue(.statements([.control("COMMIT")]))
        do throws(PostgresError) {
            try await waitThroughCancellation(for: exchange)
        } catch {
            throw Self.unknownOutcome(error)
        }
        if let failure = exchange.failure {
            throw failure.mayHaveExecuted || failure.endsConnection ? Self.unknownOutcome(failure) : failure
        }
        // COMMIT of a transaction that has failed is a ROLLBACK, and succeeds.
        guard exchange.results.first?.commandTag == "COMMIT" else {
            throw transaction.firstFailure ?? PostgresError(.transactionAborted, "the transaction had failed")
        }
    }

    /// A COMMIT under way is waited for even by a cancelled task: its end comes soon, and not knowing it is
    /// worse.
    private func waitThroughCancellation(for exchange: Exchange) async throws(PostgresError) {
        let deadline = loop.now + configuration.queryTimeout
        do throws(WaitFailure) {
            while !exchange.isDone { try await exchange.waiter.wait(until: deadline) }
            return
        } catch {
            guard error == .cancelled, exchange.isSent else {
                throw abandon(exchange, because: error)
            }
        }
        let outcome = WaitOutcome()
        let grace = min(deadline, loop.now + Self.settleLimit)
        await loop.spawn { [self] in
            do throws(PostgresError) {
                try await wait(for: exchange, until: grace)
            } catch {
                outcome.failure = error
            }
        }.value
        if let failure = outcome.failure { throw failure }
    }

    private static func unknownOutcome(_ error: PostgresError) -> PostgresError {
        guard error.mayHaveExecuted || error.endsConnection else { return error }
        var unknown = error
        unknown.kind = .commitOutcomeUnknown
        unknown.mayHaveExecuted = true
        return unknown
    }
}

/// What a wait in another task of the same loop came to.
// Confined to its loop.
private final class WaitOutcome: @unchecked Sendable {
    var failure: PostgresError?
}
