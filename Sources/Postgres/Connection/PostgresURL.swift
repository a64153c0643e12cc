import Base

/// A connection URL taken apart and checked, so that a mistake is named here rather than guessed at by libpq.
/// Messages never quote the password.
struct PostgresURL {
    private(set) var host = ""
    private(set) var port = 5432
    private(set) var database = ""
    private(set) var user = ""
    private(set) var password: Secret?
    private(set) var tls: [String: String] = [:]
    private(set) var applicationName: String?
    private(set) var connectTimeout: Duration?

    private static let schemes = ["postgres://", "postgresql://"]
    private static let tlsParameters = [
        "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "channel_binding",
    ]
    private static let tlsModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
    private static let longestConnectTimeout = 300

    init(_ url: String) throws(PostgresError) {
        guard let scheme = Self.schemes.first(where: { url.hasPrefix($0) }) else {
            throw Self.fault("it must begin with postgres:// or postgresql://")
        }
        guard !url.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F || $0 == 0x23 }) else {
            throw Self.fault("spaces, control characters and # must be percent-encoded")
        }
        let (rest, query) = Self.split(url.dropFirst(scheme.count), at: "?")
        let (authority, path) = Self.split(rest, at: "/")
        try takeAuthority(authority)
        database = try Self.decoded(path ?? "", "database name")
        if let query { try takeQuery(query) }
        try check()
    }

    private mutating func takeAuthority(_ authority: Substring) throws(PostgresError) {
        var place = authority
        if let at = authority.lastIndex(of: "@") {
            let (name, secret) = Self.split(authority[..<at], at: ":")
            user = try Self.decoded(name, "user")
            if let secret { password = Secret(try Self.decoded(secret, "password")) }
            place = authority[authority.index(after: at)...]
        }
        guard !place.contains(",") else { throw Self.fault("several hosts are not supported") }
        if place.hasPrefix("[") {
            guard let end = place.firstIndex(of: "]") else { throw Self.fault("the address lacks its ]") }
            host = String(place[place.index(after: place.startIndex)..<end])
            let after = place[place.index(after: end)...]
            guard after.isEmpty || after.hasPrefix(":") else {
                throw Self.fault("after ] only a port may stand")
            }
            if !after.isEmpty { port = try Self.port(after.dropFirst()) }
        } else {
            let (name, number) = Self.split(place, at: ":")
            host = try Self.decoded(name, "host")
            if let number { port = try Self.port(number) }
        }
    }

    private mutating func takeQuery(_ query: Substring) throws(PostgresError) {
        for pair in query.split(separator: "&") {
            let (name, encoded) = Self.split(pair, at: "=")
            guard let encoded else { throw Self.fault("the parameter \(name) has no value") }
            let value = try Self.decoded(encoded, "parameter \(name)")
            switch String(name) {
            case "host": host = value
            case "port": port = try Self.port(value[...])
            case "user": user = value
            case "password": password = Secret(value)
            case "dbname": database = value
            case "application_name": applicationName = value
            case "connect_timeout":
                guard let seconds = Int(value), (1...Self.longestConnectTimeout).contains(seconds) else {
                    throw Self.fault("connect_timeout must be 1 to \(Self.longestConnectTimeout) seconds")
                }
                connectTimeout = .seconds(seconds)
            case let name where Self.tlsParameters.contains(name): tls[name] = value
            default: throw Self.fault("the parameter \(name) is not supported")
            }
        }
    }

    private func check() throws(PostgresError) {
        if host.isEmpty { throw Self.fault("it names no host (a unix socket is given as ?host=/directory)") }
        if host.contains(",") { throw Self.fault("several hosts are not supported") }
        if user.isEmpty { throw Self.fault("it names no user") }
        if database.isEmpty { throw Self.fault("it names no database") }
        if let mode = tls["sslmode"], !Self.tlsModes.contains(mode) {
            throw Self.fault("sslmode must be one of \(Self.tlsModes.joined(separator: ", "))")
        }
    }

    private static func fault(_ reason: String) -> PostgresError {
        PostgresError(.invalidConfiguration, "The database URL is not valid: \(reason).")
    }

    private static func port(_ text: Substring) throws(PostgresError) -> Int {
        guard let port = Int(text), (1...65_535).contains(port) else {
            throw fault("the port must be 1 to 65535")
        }
        return port
    }

    private static func split(_ text: Substring, at separator: Character) -> (Substring, Substring?) {
        guard let index = text.firstIndex(of: separator) else { return (text, nil) }
        return (text[..<index], text[text.index(after: index)...])
    }

    /// Undoes percent-encoding.
    private static func decoded(_ text: Substring, _ part: String) throws(PostgresError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, let value = UInt8(String(Substring(digits)), radix: 16),
                digits.first != 0x2B,
                value != 0
            else { throw fault("a % in the \(part) is not followed by two hexadecimal digits (and not 00)") }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw fault("the \(part) is not UTF-8")
        }
        return decoded
    }
}
