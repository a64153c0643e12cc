extension PostgresError.Kind {
    /// The kind of an error the server reported.
    init(sqlState: String, details: PostgresError.Details, raisedIn function: String?) {
        if let exact = Self.exact(sqlState, details) {
            self = exact
        } else if sqlState == "0A000", function == "RevalidateCachedQuery" {
            // The server has no code of its own for "cached plan must not change result type", and its text
            // may be translated; the function that raises it is not.
            self = .staleStatement
        } else {
            self = Self.byClass[String(sqlState.prefix(2))] ?? .other
        }
    }

    private static func exact(_ sqlState: String, _ details: PostgresError.Details) -> Self? {
        switch sqlState {
        case "23505": .uniqueViolation(constraint: details.constraint ?? "")
        case "23503": .foreignKeyViolation(constraint: details.constraint ?? "")
        case "23514": .checkViolation(constraint: details.constraint ?? "")
        case "23502": .notNullViolation(column: details.column ?? "")
        case "23P01": .exclusionViolation(constraint: details.constraint ?? "")
        default: plain[sqlState]
        }
    }

    private static let plain: [String: Self] = [
        "40001": .serializationFailure, "40P01": .deadlock, "40003": .commitOutcomeUnknown,
        "55P03": .lockNotAvailable, "57014": .queryCanceled, "25P03": .idleInTransactionTimeout,
        "42501": .insufficientPrivilege, "25006": .readOnly, "25P02": .transactionAborted,
        "26000": .staleStatement, "P0001": .raised, "53300": .tooManyConnections,
        "57P01": .adminShutdown, "57P02": .adminShutdown, "57P03": .unavailable, "57P05": .adminShutdown,
        "3D000": .invalidConfiguration,
    ]

    private static let byClass: [String: Self] = [
        "08": .connectionLost, "22": .dataException, "28": .authenticationFailed, "42": .invalidStatement,
        "53": .outOfResources, "54": .outOfResources,
    ]
}
