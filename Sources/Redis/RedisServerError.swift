/// An error that Redis answered, told apart by its prefix.
package struct RedisServerError: Error, Equatable, Sendable, CustomStringConvertible {
    package let kind: Kind
    /// As Redis wrote it. It can quote the command: for the log, not for clients.
    package let message: String

    package enum Kind: String, CaseIterable, Sendable {
        /// The server is a replica: a failover has taken place.
        case readOnly = "READONLY"
        /// A replica that has lost its master and serves no stale data.
        case masterDown = "MASTERDOWN"
        /// Still reading its data from disk.
        case loading = "LOADING"
        /// `maxmemory` is reached and nothing may be evicted.
        case outOfMemory = "OOM"
        /// A script or function has run too long and is not done.
        case busy = "BUSY"
        /// Persistence fails and writes are refused.
        case misconfigured = "MISCONF"
        case tooFewReplicas = "NOREPLICAS"
        case noScript = "NOSCRIPT"
        /// The function's library is not loaded, or was flushed.
        case functionNotFound = "ERR Function not found"
        case moved = "MOVED"
        case ask = "ASK"
        case tryAgain = "TRYAGAIN"
        case crossSlot = "CROSSSLOT"
        case clusterDown = "CLUSTERDOWN"
        case noAuthentication = "NOAUTH"
        case wrongPassword = "WRONGPASS"
        case noPermission = "NOPERM"
        case wrongType = "WRONGTYPE"
        case transactionAborted = "EXECABORT"
        case unblocked = "UNBLOCKED"
        case unkillable = "UNKILLABLE"
        case notBusy = "NOTBUSY"
        case busyGroup = "BUSYGROUP"
        case noGroup = "NOGROUP"
        case tooManyClients = "ERR max number of clients reached"
        /// Any other: a fault of the command, most likely.
        case other = "ERR"
    }

    package init(_ message: String) {
        self.message = message
        kind = Self.kind(of: message)
    }

    /// The server is the wrong one to talk to at the moment: look for another, or wait for this one.
    package var asksToReconnect: Bool {
        switch kind {
        case .readOnly, .masterDown, .loading: true
        default: false
        }
    }

    package var description: String { "Redis: \(kind.rawValue)" }

    private static let kinds: [String: Kind] = Dictionary(
        uniqueKeysWithValues: Kind.allCases.filter { !$0.rawValue.contains(" ") }.map { ($0.rawValue, $0) })

    private static func kind(of message: String) -> Kind {
        let prefix = String(message.prefix { $0 != " " })
        if prefix != "ERR" { return kinds[prefix] ?? .other }
        for kind in [Kind.functionNotFound, .tooManyClients] where message.hasPrefix(kind.rawValue) {
            return kind
        }
        return .other
    }
}
