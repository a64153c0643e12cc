import CPostgres

/// A `NOTIFY` that reached a session which listens.
package struct PostgresNotification: Equatable, Sendable {
    package var channel: String
    package var payload: String
    /// The server's process that sent it.
    package var processIdentifier: Int32

    init(_ notification: PGnotify) {
        channel = String(cString: notification.relname)
        payload = String(cString: notification.extra)
        processIdentifier = notification.be_pid
    }
}

/// What the server remarked without being asked.
package struct PostgresNotice: Sendable {
    /// Untranslated: `NOTICE`, `WARNING`, `FATAL`.
    package var severity: String
    package var error: PostgresError

    var isFatal: Bool { severity == "FATAL" || severity == "PANIC" }
    package var message: String { error.details.message }
}

/// Where libpq puts notices while it is at work; they are handled after it.
// Reached only from libpq's calls on the loop.
final class NoticeBox: @unchecked Sendable {
    /// More between two reads are dropped: notices are remarks.
    private static let limit = 256
    private var notices: [PostgresNotice] = []

    /// The box must live as long as the connection.
    func install(on handle: OpaquePointer) {
        PQsetNoticeReceiver(
            handle,
            { argument, result in
                guard let argument, let result else { return }
                Unmanaged<NoticeBox>.fromOpaque(argument).takeUnretainedValue().receive(result)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    func take() -> [PostgresNotice] {
        if notices.isEmpty { return [] }
        defer { notices = [] }
        return notices
    }

    private func receive(_ result: OpaquePointer) {
        guard notices.count < Self.limit else { return }
        let severity = PQresultErrorField(result, postgres_diag_severity).map { String(cString: $0) } ?? ""
        notices.append(
            PostgresNotice(severity: severity, error: PostgresError(result: result, statement: nil)))
    }
}
