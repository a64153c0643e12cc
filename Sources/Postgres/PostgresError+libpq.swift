import CPostgres

extension PostgresError {
    /// What the server said in `result`, or libpq where no server spoke.
    init(result: OpaquePointer, statement: String?) {
        func field(_ code: Int32) -> String? {
            PQresultErrorField(result, code).map { String(cString: $0) }
        }
        var details = Details()
        details.statement = statement
        guard let sqlState = field(postgres_diag_sqlstate) else {
            details.message = PQresultErrorMessage(result).map { Self.trimmed($0) } ?? ""
            self.init(kind: .connectionLost, sqlState: nil, details: details)
            return
        }
        details.message = field(postgres_diag_message) ?? ""
        details.detail = field(postgres_diag_detail)
        details.hint = field(postgres_diag_hint)
        details.constraint = field(postgres_diag_constraint)
        details.table = field(postgres_diag_table)
        details.column = field(postgres_diag_column)
        details.position = field(postgres_diag_position).flatMap { Int($0) }
        let kind = Kind(sqlState: sqlState, details: details, raisedIn: field(postgres_diag_function))
        // DETAIL quotes the row's values ("Key (email)=(…) already exists"), and so does the text of
        // malformed input. Both are data of tenants, not for a log.
        if kind.quotesValues { details.detail = nil }
        if kind == .dataException { details.message = "a value is malformed or out of range" }
        self.init(kind: kind, sqlState: sqlState, details: details)
    }

    /// libpq's message without the line end and without anything after the first line.
    static func trimmed(_ message: UnsafePointer<CChar>) -> String {
        let lines = String(cString: message).split(separator: "\n", omittingEmptySubsequences: true)
        return lines.map { $0.drop { $0 == " " || $0 == "\t" } }.joined(separator: " ")
    }
}

extension PostgresError.Kind {
    fileprivate var quotesValues: Bool {
        switch self {
        case .uniqueViolation, .foreignKeyViolation, .checkViolation, .notNullViolation, .exclusionViolation:
            true
        case .dataException: true
        default: false
        }
    }
}
