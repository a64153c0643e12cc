package import Base

/// Where the database is, who we are there, and how long things may take.
package struct PostgresConfiguration: Sendable {
    /// A name, an address, or the directory of a unix socket (it starts with `/`).
    package var host: String
    package var port: Int
    package var database: String
    package var user: String
    package var password: Secret?
    /// libpq's TLS parameters, by libpq's names: `sslmode`, `sslrootcert`, …
    package var tls: [String: String] = [:]

    /// The role the session acts as; row security applies to it. `nil` keeps the user's own.
    package var role: String?
    package var applicationName = "hivegate"
    /// The server ends a statement after this. `nil` leaves it to the server.
    package var statementTimeout: Duration? = .seconds(30)
    /// The server ends a wait for a lock after this.
    package var lockTimeout: Duration? = .seconds(5)
    /// The server ends a session that holds a transaction open and does nothing.
    package var idleInTransactionTimeout: Duration? = .seconds(60)
    /// Reaching the server and logging in, in all.
    package var connectTimeout: Duration = .seconds(5)
    /// Our own limit on the wait for an answer, for when the server is too far gone to keep to its limits.
    package var queryTimeout: Duration = .seconds(35)

    package init(host: String, port: Int = 5432, database: String, user: String, password: Secret? = nil) {
        self.host = host
        self.port = port
        self.database = database
        self.user = user
        self.password = password
    }

    /// `postgres://user:password@host:port/database?sslmode=verify-full`; a unix socket as
    /// `?host=/directory`.
    package init(url: String) throws(PostgresError) {
        let parsed = try PostgresURL(url)
        self.init(
            host: parsed.host, port: parsed.port, database: parsed.database, user: parsed.user,
            password: parsed.password)
        tls = parsed.tls
        if let name = parsed.applicationName { applicationName = name }
        if let timeout = parsed.connectTimeout { connectTimeout = timeout }
    }

    var isUnixSocket: Bool { host.hasPrefix("/") }

    /// What libpq is given. `addresses` are what the host's name stands for, in the order to be tried.
    func parameters(addresses: [String]) -> [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = [
            ("port", String(port)), ("dbname", database), ("user", user),
            ("application_name", applicationName), ("client_encoding", "UTF8"), ("options", options),
            // libpq would look up a service ticket, which may block.
            ("gssencmode", "disable"),
        ]
        if let password { parameters.append(("password", password.reveal())) }
        if addresses.isEmpty {
            parameters.append(("host", host))
        } else {
            // Each address goes with the name, which certificates are checked against.
            parameters.append(("host", addresses.map { _ in host }.joined(separator: ",")))
            parameters.append(("hostaddr", addresses.joined(separator: ",")))
        }
        for (name, value) in tls { parameters.append((name, value)) }
        return parameters
    }

    /// Settings the session starts with, so that they hold from the first statement and cost no round trip.
    private var options: String {
        var settings = [("TimeZone", "UTC")]
        func add(_ name: String, _ timeout: Duration?) {
            if let timeout { settings.append((name, String(timeout.nanoseconds / 1_000_000))) }
        }
        add("statement_timeout", statementTimeout)
        add("lock_timeout", lockTimeout)
        add("idle_in_transaction_session_timeout", idleInTransactionTimeout)
        if let role { settings.append(("role", role)) }
        return settings.map { "-c \($0.0)=\(Self.escaped($0.1))" }.joined(separator: " ")
    }

    private static func escaped(_ value: String) -> String {
        var escaped = ""
        for character in value {
            if character == " " || character == "\\" { escaped.append("\\") }
            escaped.append(character)
        }
        return escaped
    }
}
