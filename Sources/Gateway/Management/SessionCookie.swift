import Base
import HTTPWire

/// The cookie of a browser's session. Its prefix makes the browser keep it to this host, to https and to the whole site;
/// no script can read it, and no other site's request carries it.
enum SessionCookie {
    static let name = "__Host-hivegate"
    private static let attributes = "Path=/; Secure; HttpOnly; SameSite=Strict"

    static func field(_ secret: Secret, until end: Timestamp, now: Timestamp) -> String {
        "\(name)=\(secret.reveal()); Max-Age=\(max(0, end.seconds - now.seconds)); \(attributes)"
    }

    static let cleared = "\(name)=; Max-Age=0; \(attributes)"

    /// The value that a browser sent. Two of the name are none: somebody meddled.
    static func value(named name: String = Self.name, in fields: HTTPFields) -> String? {
        let pairs = fields.values("cookie").flatMap { $0.split(separator: 0x3B) }
        let values = pairs.compactMap { pair -> String? in
            let text = String(decoding: pair.drop { $0 == 0x20 }, as: UTF8.self)
            return text.hasPrefix("\(name)=") ? String(text.dropFirst(name.utf8.count + 1)) : nil
        }
        return values.count == 1 ? values[0] : nil
    }
}
