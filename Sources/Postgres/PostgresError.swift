/// What went wrong with the database. `description` is safe to show to anyone; what the server said, and of
/// which statement, is in `debugDescription`, for the log. Values of parameters are in neither.
package struct PostgresError: Error, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    package var kind: Kind
    /// The server's five-character code, where the server spoke.
    package var sqlState: String?
    /// Whether the statement may have taken effect although it failed: the connection broke, or the wait
    /// ended, before the answer.
    package var mayHaveExecuted = false
    package var details: Details

    package enum Kind: Hashable, Sendable {
        // The data refuses.
        case uniqueViolation(constraint: String)
        case foreignKeyViolation(constraint: String)
        case checkViolation(constraint: String)
        case notNullViolation(column: String)
        case exclusionViolation(constraint: String)
        /// A value out of range, malformed, or too long (class 22).
        case dataException
        /// Raised by a function or trigger of ours (P0001).
        case raised

        // Others were in the way: the transaction may be run again.
        case serializationFailure, deadlock
        /// The schema changed under a prepared statement; running it again prepares it anew.
        case staleStatement
        case lockNotAvailable

        // Time ran out, or somebody gave up.
        /// The server ended the statement: `statement_timeout`, or an operator.
        case queryCanceled
        case idleInTransactionTimeout
        /// Our own deadline for the statement passed.
        case deadlineExceeded
        /// The task was cancelled.
        case cancelled

        // The statement is wrong, or not allowed.
        case insufficientPrivilege, readOnly
        /// Syntax, or a name that does not exist (class 42).
        case invalidStatement
        /// A statement in a transaction that has already failed.
        case transactionAborted
        /// The statement was not run because one before it in the same pipeline failed.
        case skipped
        /// A parameter cannot be sent.
        case invalidParameter
        case copyAborted

        // The server or the way to it.
        case authenticationFailed, tooManyConnections
        /// Memory, disk or another limit of the server (class 53, 54).
        case outOfResources
        case adminShutdown
        /// Nobody answers, or the server is starting or stopping.
        case unavailable
        case connectionLost
        /// The connection broke, or the wait ended, while COMMIT was under way. Look before doing it again.
        case commitOutcomeUnknown

        // Our side.
        case poolExhausted, poolClosed
        /// More statements wait on one connection than it takes.
        case overloaded
        /// A column is not what the program asked for.
        case decoding
        case invalidConfiguration
        case migration
        case protocolViolation
        case other
    }

    /// For the log only.
    package struct Details: Sendable, Equatable {
        package var message = ""
        package var detail: String?
        package var hint: String?
        package var constraint: String?
        package var table: String?
        package var column: String?
        /// The statement's text: placeholders, no values.
        package var statement: String?
        /// Where in the statement, in characters from 1.
        package var position: Int?
    }

    package init(_ kind: Kind, _ message: String, statement: String? = nil, mayHaveExecuted: Bool = false) {
        self.kind = kind
        self.mayHaveExecuted = mayHaveExecuted
        details = Details(message: message, statement: statement)
    }

    init(kind: Kind, sqlState: String?, details: Details) {
        self.kind = kind
        self.sqlState = sqlState
        self.details = details
    }

    /// Whether the database was away, busy or lost on the way, or nobody waited for it, rather than asked for something
    /// wrong: later the same may succeed.
    package var isOutage: Bool {
        switch kind {
        case .unavailable, .connectionLost, .commitOutcomeUnknown, .adminShutdown, .tooManyConnections,
            .outOfResources, .poolExhausted, .poolClosed, .overloaded, .queryCanceled, .deadlineExceeded,
            .cancelled, .lockNotAvailable, .serializationFailure, .deadlock, .idleInTransactionTimeout,
            .readOnly,
            .skipped,
            .transactionAborted:
            true
        default:
            false
        }
    }

    /// Whether the same transaction, run again from its start, may succeed. Nothing of it took effect.
    package var isRetryable: Bool {
        switch kind {
        case .serializationFailure, .deadlock, .staleStatement: true
        default: false
        }
    }

    /// Whether the connection cannot be used any more.
    var endsConnection: Bool {
        switch kind {
        case .connectionLost, .adminShutdown, .idleInTransactionTimeout, .protocolViolation: true
        default: false
        }
    }

    package var description: String {
        let outcome = mayHaveExecuted ? " It may have taken effect." : ""
        return Self.publicMessage(kind) + outcome + (sqlState.map { " (\($0))" } ?? "")
    }

    package var debugDescription: String {
        var text = "\(description) \(details.message)"
        func add(_ name: String, _ value: String?) {
            if let value, !value.isEmpty { text += "; \(name): \(value)" }
        }
        add("detail", details.detail)
        add("hint", details.hint)
        add("table", details.table)
        add("column", details.column)
        add("constraint", details.constraint)
        add("position", details.position.map(String.init))
        add("statement", details.statement)
        return text
    }

    private static func publicMessage(_ kind: Kind) -> String {
        switch kind {
        case .uniqueViolation: "This already exists."
        case .foreignKeyViolation: "Something this refers to does not exist, or is still referred to."
        case .checkViolation, .exclusionViolation: "This breaks a rule of the data."
        case .notNullViolation: "A required value is missing."
        case .dataException, .invalidParameter: "A value has the wrong form or is out of range."
        case .raised: "The database refused this."
        case .serializationFailure, .deadlock, .staleStatement: "Others were changing the same data."
        case .lockNotAvailable: "The data is locked by somebody else."
        case .queryCanceled, .idleInTransactionTimeout, .deadlineExceeded: "The database took too long."
        case .cancelled: "The request was cancelled."
        case .insufficientPrivilege, .readOnly: "The database does not allow this."
        case .invalidStatement, .transactionAborted, .skipped, .decoding, .protocolViolation, .other:
            "The database and the program do not agree."
        case .copyAborted: "The copy was broken off."
        case .authenticationFailed: "The database refused the credentials."
        case .tooManyConnections, .outOfResources, .poolExhausted, .overloaded: "The database is busy."
        case .adminShutdown, .unavailable: "The database is not available."
        case .connectionLost: "The connection to the database was lost."
        case .commitOutcomeUnknown: "Whether the change was saved is unknown."
        case .poolClosed: "The program is shutting down."
        case .invalidConfiguration: "The configuration of the database is wrong."
        case .migration: "The migrations cannot be applied."
        }
    }
}
