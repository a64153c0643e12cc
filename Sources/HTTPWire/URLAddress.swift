/// An absolute URL taken apart: `scheme://user@host:port/path?query`. For base URLs in configuration and for
/// requests that we send; a fragment is refused.
package struct URLAddress: Hashable, Sendable, CustomStringConvertible {
    /// In lower case.
    package var scheme: String
    /// As written, still percent-encoded. Never printed: it may hold a password.
    package var userinfo: String?
    /// In lower case; an IPv6 address without its brackets.
    package var host: String
    package var port: Int?
    /// Still percent-encoded; empty or beginning with a slash.
    package var path: String
    package var query: String?

    package enum Fault: Error, Equatable, Sendable {
        case invalidScheme, missingHost, invalidHost, invalidPort, invalidUserinfo, invalidPath, invalidQuery
        case fragment, tooLong
    }

    /// Longer ones are refused.
    package static let limit = 8 * 1024

    package init(_ text: String) throws(Fault) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.limit else { throw .tooLong }
        guard let colon = bytes.firstIndex(of: ASCII.colon), Self.isScheme(bytes[..<colon]),
            bytes[(colon + 1)...].starts(with: [ASCII.slash, ASCII.slash])
        else { throw .invalidScheme }
        if bytes.contains(0x23) { throw .fragment }
        scheme = Self.text(bytes[..<colon].map(ASCII.lowercased)[...])

        let start = colon + 3
        let authorityEnd =
            bytes[start...].firstIndex { $0 == ASCII.slash || $0 == ASCII.question } ?? bytes.count
        let pathEnd = bytes[authorityEnd...].firstIndex(of: ASCII.question) ?? bytes.count
        let authority = bytes[start..<authorityEnd]
        var hostStart = start
        if let at = authority.lastIndex(of: ASCII.at) {
            guard Self.isValid(bytes[start..<at], .path, without: [ASCII.slash, ASCII.at])
            else { throw .invalidUserinfo }
            userinfo = Self.text(bytes[start..<at])
            hostStart = at + 1
        }
        (host, port) = try Self.hostAndPort(bytes[hostStart..<authorityEnd])
        guard Self.isValid(bytes[authorityEnd..<pathEnd], .path) else { throw .invalidPath }
        path = Self.text(bytes[authorityEnd..<pathEnd])
        if pathEnd < bytes.count {
            guard Self.isValid(bytes[(pathEnd + 1)...], .query) else { throw .invalidQuery }
            query = Self.text(bytes[(pathEnd + 1)...])
        }
    }

    /// The port, or the scheme's own.
    package var effectivePort: Int? {
        if let port { return port }
        switch scheme {
        case "http", "ws": return 80
        case "https", "wss": return 443
        case "redis", "rediss": return 6379
        case "postgres", "postgresql": return 5432
        default: return nil
        }
    }

    /// The host, with the port where one was given: as the `Host` field has it.
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port.map { "\(name):\($0)" } ?? name
    }

    /// The URL without its userinfo: safe to show.
    package var description: String {
        "\(scheme)://\(authority)\(path)\(query.map { "?\($0)" } ?? "")"
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func isScheme(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first, ASCII.lowercased(first) &- 0x61 < 26, bytes.count <= 16 else {
            return false
        }
        return bytes.allSatisfy {
            ASCII.lowercased($0) &- 0x61 < 26 || ASCII.isDigit($0) || $0 == ASCII.plus || $0 == ASCII.dash
                || $0 == ASCII.dot
        }
    }

    private static func hostAndPort(_ bytes: ArraySlice<UInt8>) throws(Fault) -> (String, Int?) {
        if bytes.isEmpty { throw .missingHost }
        var port: Int?
        let isAddress = bytes.first == ASCII.openBracket
        let nameEnd =
            isAddress
            ? (bytes.firstIndex(of: ASCII.closeBracket).map { $0 + 1 } ?? bytes.endIndex)
            : (bytes.firstIndex(of: ASCII.colon) ?? bytes.endIndex)
        if nameEnd < bytes.endIndex {
            guard bytes[nameEnd] == ASCII.colon else { throw .invalidHost }
            port = bytes[(nameEnd + 1)...].withUnsafeBytes { HostValue.port($0, 0..<$0.count) }
            if port == nil { throw .invalidPort }
        }
        let name = bytes[..<nameEnd]
        if name.isEmpty { throw .missingHost }
        let isValid = name.withUnsafeBytes { bytes in
            do throws(RequestFault) {
                try HostValue.validate(bytes, 0..<bytes.count)
                return true
            } catch {
                return false
            }
        }
        guard isValid else { throw .invalidHost }
        return (text((isAddress ? name.dropFirst().dropLast() : name).map(ASCII.lowercased)[...]), port)
    }

    private static func isValid(_ bytes: ArraySlice<UInt8>, _ allowed: ByteSet, without refused: [UInt8] = [])
        -> Bool
    {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if bytes[index] == ASCII.percent {
                guard index + 2 < bytes.endIndex, let high = ASCII.hexValue(bytes[index + 1]),
                    let low = ASCII.hexValue(bytes[index + 2]), high | low != 0
                else { return false }
                index += 3
            } else {
                guard allowed.contains(bytes[index]), !refused.contains(bytes[index]) else { return false }
                index += 1
            }
        }
        return true
    }
}
