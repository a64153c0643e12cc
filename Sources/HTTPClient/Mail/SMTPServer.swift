package import Base
import HTTPWire

/// A mail server, out of a URL: `smtp://user:password@mail.example:587` or `smtps://mail.example`.
package struct SMTPServer: Sendable {
    /// Without anything secret; safe to show.
    package let address: String
    let host: String
    let port: Int
    let security: Security
    let login: Login?

    package enum Security: String, CaseIterable, Sendable {
        /// TLS from the first byte: `smtps`.
        case implicit
        /// STARTTLS, or nothing is sent.
        case required
        /// STARTTLS where the server offers it. Whoever sits in between can take the offer away.
        case attempted = "try"
        case off
    }

    struct Login: Sendable {
        let user: String
        let password: Secret
    }

    package struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String
    }

    package init(_ url: Secret) throws(Fault) {
        let parsed: URLAddress
        do throws(URLAddress.Fault) {
            parsed = try URLAddress(url.reveal())
        } catch {
            throw Fault(description: "must be a URL such as smtp://user:password@mail.example:587")
        }
        guard ["smtp", "smtps"].contains(parsed.scheme) else {
            throw Fault(description: "must begin with smtp:// or smtps://")
        }
        guard parsed.path.isEmpty || parsed.path == "/" else {
            throw Fault(description: "must have nothing behind the host and the port but ?starttls=…")
        }
        host = parsed.host
        security = try Self.security(parsed)
        login = try parsed.userinfo.map { userinfo throws(Fault) in try Self.login(userinfo) }
        if login != nil, security == .attempted {
            throw Fault(
                description: "must not try TLS with a password: say starttls=required or starttls=off")
        }
        port = parsed.port ?? (parsed.scheme == "smtps" ? 465 : login == nil ? 25 : 587)
        address = "\(parsed.scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    private static func security(_ url: URLAddress) throws(Fault) -> Security {
        guard let query = url.query else {
            return url.scheme == "smtps" ? .implicit : isLoopback(url.host) ? .off : .required
        }
        let name = "starttls="
        guard url.scheme == "smtp", query.hasPrefix(name),
            let security = Security(rawValue: String(query.dropFirst(name.utf8.count))), security != .implicit
        else { throw Fault(description: "may end in ?starttls=required, try or off, with smtp:// only") }
        return security
    }

    private static func login(_ userinfo: String) throws(Fault) -> Login {
        let parts = Array(userinfo.utf8).split(
            separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let user = PercentCoding.decode(parts[0]), !user.isEmpty,
            let password = PercentCoding.decode(parts[1])
        else { throw Fault(description: "must have a user and a password before the @, percent-encoded") }
        return Login(user: user, password: Secret(password))
    }

    private static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" { return true }
        guard let address = IPAddress(host) else { return false }
        return ["127.0.0.0/8", "::1"].compactMap { IPNetwork($0) }.contains { $0.contains(address) }
    }
}
