import Base
import CPostgres
import Loop

extension PostgresConnection {
    /// Copies rows into `table` as fast as the server takes them; says how many. When `body` throws, or the
    /// task is cancelled, none of them remains.
    ///
    /// `timeout` covers the whole copy.
    package func copy(
        into table: String, columns: [String], timeout: Duration? = nil,
        _ body: (PostgresCopyWriter) async throws -> Void
    ) async throws -> Int {
        let deadline = loop.now + (timeout ?? configuration.queryTimeout)
        let exchange = try await open(table, columns, "binary", until: deadline)
        let writer = PostgresCopyWriter(self, exchange, columnCount: columns.count, deadline: deadline)
        return try await fill(exchange, writer, until: deadline) { try await body(writer) }
    }

    /// The same with lines that are in Postgres's text form already, as `COPY … TO` writes them.
    package func copyText(
        into table: String, columns: [String], timeout: Duration? = nil,
        _ body: (PostgresTextCopyWriter) async throws -> Void
    ) async throws -> Int {
        let deadline = loop.now + (timeout ?? configuration.queryTimeout)
        let exchange = try await open(table, columns, "text", until: deadline)
        let writer = PostgresTextCopyWriter(self, exchange, deadline: deadline)
        return try await fill(exchange, writer, until: deadline) { try await body(writer) }
    }

    private func open(
        _ table: String, _ columns: [String], _ format: String, until deadline: Instant
    ) async throws(PostgresError) -> Exchange {
        let names = columns.map(Self.quoted).joined(separator: ", ")
        let target = table.split(separator: ".").map { Self.quoted(String($0)) }.joined(separator: ".")
        let exchange = try enqueue(.copy("COPY \(target) (\(names)) FROM STDIN (FORMAT \(format))"))
        try await waitUntilOpen(exchange, until: deadline)
        if let failure = exchange.failure { throw failure }
        return exchange
    }

    private func fill(
        _ exchange: Exchange, _ writer: some CopyWriter, until deadline: Instant,
        _ body: () async throws -> Void
    ) async throws -> Int {
        do {
            try await body()
            try await writer.finish()
        } catch {
            breakOff(exchange)
            throw error
        }
        endCopy(exchange, because: nil)
        try await wait(for: exchange, until: deadline)
        if let failure = exchange.failure { throw failure }
        return exchange.results.first?.affectedRows ?? 0
    }

    private func waitUntilOpen(_ exchange: Exchange, until deadline: Instant) async throws(PostgresError) {
        while !exchange.isDone, !exchange.isCopyOpen {
            do throws(WaitFailure) {
                try await exchange.waiter.wait(until: deadline)
            } catch {
                throw abandon(exchange, because: error)
            }
        }
    }

    /// Tells the server to forget the rows. Its answer is read and dropped.
    private func breakOff(_ exchange: Exchange) {
        exchange.isAbandoned = true
        endCopy(exchange, because: "broken off by the client")
    }

    func endCopy(_ exchange: Exchange, because reason: String?) {
        guard let handle, exchange.isCopyOpen else { return }
        exchange.isCopyOpen = false
        guard PQputCopyEnd(handle, reason) == 1 else {
            return lose(PostgresError(.connectionLost, "libpq does not end the copy"))
        }
        push()
    }

    private static func quoted(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
