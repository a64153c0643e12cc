package import Base

/// Where Redis is and how to log in.
///
///     redis://[user][:password]@host[:port][/db]
///     unix://[user][:password]@/path/to/socket[?db=N]
package struct RedisURL: Equatable, Sendable, CustomStringConvertible {
    package var target: Target
    /// nil logs in as the default user.
    package var user: String?
    package var password: Secret?
    package var database = 0

    package enum Target: Hashable, Sendable {
        case host(String, port: Int)
        case path(String)
    }

    package static let defaultPort = 6379
    /// Redis knows 16 databases unless configured; this only keeps nonsense out.
    package static let maximumDatabase = 65535
    /// `sun_path` without its terminating zero.
    package static let maximumPathBytes = 107

    package init(target: Target, user: String? = nil, password: Secret? = nil, database: Int = 0) {
        self.target = target
        self.user = user
        self.password = password
        self.database = database
    }

    /// Reads a URL and names every fault in it.
    package init(_ text: String) throws(RedisURLError) {
        var parser = RedisURLParser()
        let url = parser.parse(text)
        guard let url, parser.faults.isEmpty else { throw RedisURLError(faults: parser.faults) }
        self = url
    }

    /// Without the password.
    package var description: String {
        let login = user != nil || password != nil ? "\(user ?? "")\(password == nil ? "" : ":***")@" : ""
        switch target {
        case .host(let host, let port):
            let shown = host.contains(":") ? "[\(host)]" : host
            return "redis://\(login)\(shown):\(port)/\(database)"
        case .path(let path): return "unix://\(login)\(path)?db=\(database)"
        }
    }
}

/// Every fault of a URL. The messages never show the password.
package struct RedisURLError: Error, Equatable, Sendable, CustomStringConvertible {
    package let faults: [String]
    package var description: String { faults.joined(separator: "; ") }
}
