import HTTPWire

/// Where a request without TLS goes.
struct PlainAddress: Sendable {
    /// Whom to connect to, as a URL.
    let origin: String
    /// As `Host` says it.
    let host: String
    /// Path and query.
    let target: String

    /// `nil` where it is libcurl's: with TLS, with a password in it, with dots to resolve, or no address as we know them.
    init?(_ url: String) {
        guard url.hasPrefix("http://"), var address = try? URLAddress(url), address.userinfo == nil,
            !address.path.contains("/.")
        else { return nil }
        if address.port == 80 { address.port = nil }
        host = address.authority
        origin = "http://\(host)/"
        let path = address.path.isEmpty ? "/" : address.path
        target = address.query.map { "\(path)?\($0)" } ?? path
    }
}
