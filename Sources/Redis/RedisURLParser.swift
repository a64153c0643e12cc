import Base

/// Reads a `RedisURL`, collecting faults.
struct RedisURLParser {
    private(set) var faults: [String] = []

    mutating func parse(_ text: String) -> RedisURL? {
        guard let separator = text.firstRange(of: "://") else {
            faults.append("the Redis URL must start with redis:// or unix://")
            return nil
        }
        let rest = text[separator.upperBound...]
        switch text[..<separator.lowerBound].lowercased() {
        case "redis": return network(rest)
        case "unix", "redis+unix", "redis+socket": return socket(rest)
        case "rediss":
            faults.append(
                "rediss:// is not supported: this client has no TLS; use a unix socket or a TLS tunnel such as stunnel"
            )
        default: faults.append("the Redis URL must start with redis:// or unix://")
        }
        return nil
    }

    private mutating func network(_ text: Substring) -> RedisURL? {
        let (text, query) = split(text, at: "?")
        let (authority, path) = split(text, at: "/")
        let (login, address) = login(authority)
        var url = RedisURL(target: .host("", port: RedisURL.defaultPort))
        read(login, into: &url)
        let (host, port) = self.host(address)
        url.target = .host(host, port: port)
        if let path, !path.isEmpty { url.database = database(path) }
        read(query, into: &url, allowsDatabase: path == nil || path == "")
        return url
    }

    private mutating func socket(_ text: Substring) -> RedisURL? {
        let (text, query) = split(text, at: "?")
        let (login, path) = text.hasPrefix("/") ? (nil, text) : login(text)
        var url = RedisURL(target: .path(""))
        read(login, into: &url)
        let decoded = decode(path, "the path")
        if !decoded.hasPrefix("/") || decoded.utf8.count < 2 {
            faults.append("the path of a unix:// URL must be absolute, as in unix:///run/redis.sock")
        }
        if decoded.utf8.count > RedisURL.maximumPathBytes {
            faults.append("the path is longer than \(RedisURL.maximumPathBytes) bytes")
        }
        if decoded.utf8.contains(0) { faults.append("the path holds a zero byte") }
        url.target = .path(decoded)
        read(query, into: &url, allowsDatabase: true)
        return url
    }

    /// What stands before the last `@`, and the rest.
    private func login(_ authority: Substring) -> (login: Substring?, rest: Substring) {
        guard let at = authority.lastIndex(of: "@") else { return (nil, authority) }
        return (authority[..<at], authority[authority.index(after: at)...])
    }

    private mutating func read(_ login: Substring?, into url: inout RedisURL) {
        guard let login else { return }
        let (user, password) = split(login, at: ":")
        let name = decode(user, "the user")
        if !name.isEmpty { url.user = name }
        if let password { url.password = Secret(decode(password, "the password")) }
        if url.password?.isEmpty ?? false { faults.append("the password is empty") }
        if url.user != nil, url.password == nil {
            faults.append("a user needs a password: redis://user:password@host")
        }
    }

    private mutating func host(_ address: Substring) -> (String, Int) {
        var host = address
        var port: Substring?
        if address.hasPrefix("[") {
            guard let end = address.firstIndex(of: "]") else {
                faults.append("the host has '[' without ']'")
                return ("", RedisURL.defaultPort)
            }
            host = address[address.index(after: address.startIndex)..<end]
            let rest = address[address.index(after: end)...]
            if rest.hasPrefix(":") {
                port = rest.dropFirst()
            } else if !rest.isEmpty {
                faults.append("only a port may follow ']'")
            }
            if IPAddress(String(host)) == nil { faults.append("the host in brackets is not an IPv6 address") }
            return (String(host), self.port(port))
        }
        (host, port) = split(address, at: ":")
        let name = decode(host, "the host")
        let isName = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
            default: false
            }
        }
        if name.isEmpty {
            faults.append("the host is missing")
        } else if !isName || name.utf8.count > 253 {
            faults.append("the host is not a name or an address")
        }
        return (name, self.port(port))
    }

    private mutating func port(_ text: Substring?) -> Int {
        guard let text else { return RedisURL.defaultPort }
        if let port = number(text), port >= 1, port <= 65535 { return port }
        faults.append("the port must be a number from 1 to 65535")
        return RedisURL.defaultPort
    }

    private mutating func database(_ text: Substring) -> Int {
        if let database = number(text), database <= RedisURL.maximumDatabase { return database }
        faults.append("the database must be a number from 0 to \(RedisURL.maximumDatabase)")
        return 0
    }

    private mutating func read(_ query: Substring?, into url: inout RedisURL, allowsDatabase: Bool) {
        guard let query, !query.isEmpty else { return }
        for pair in query.split(separator: "&", omittingEmptySubsequences: false) {
            let (name, value) = split(pair, at: "=")
            if name == "db", allowsDatabase {
                url.database = database(value ?? "")
            } else if name == "db" {
                faults.append("the database is given twice")
            } else {
                faults.append("unknown parameter '\(name.prefix(32))' (known: db)")
            }
        }
    }

    private func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 5, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
            return nil
        }
        return Int(text)
    }

    private func split(_ text: Substring, at separator: Character) -> (Substring, Substring?) {
        guard let index = text.firstIndex(of: separator) else { return (text, nil) }
        return (text[..<index], text[text.index(after: index)...])
    }

    /// Percent-decoding; `part` is what the fault is called.
    private mutating func decode(_ text: Substring, _ part: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2).compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
            guard digits.count == 2 else {
                faults.append("\(part) holds a '%' that is not followed by two hexadecimal digits")
                return ""
            }
            rest = rest.dropFirst(2)
            bytes.append(UInt8(digits[0] * 16 + digits[1]))
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            faults.append("\(part) is not UTF-8 after decoding")
            return ""
        }
        return decoded
    }
}
