import Base
import HTTPWire
import Identity

/// What ties a sign-in through an identity provider to the browser that began it, for as long as it takes. It comes back
/// with a navigation from the provider's site, so it cannot be as strict as the session's own cookie.
struct SSOCookie {
    private static let name = "__Host-hivegate-sso"
    private static let attributes = "Path=/; Secure; HttpOnly; SameSite=Lax"

    let state: Secret
    /// What the sign-in is to end with.
    let carrier: Session.Carrier

    static let cleared = "\(name)=; Max-Age=0; \(attributes)"

    func field(lifetime: Duration) -> String {
        let seconds = lifetime.components.seconds
        return "\(Self.name)=\(carrier.rawValue).\(state.reveal()); Max-Age=\(seconds); \(Self.attributes)"
    }

    init(_ state: Secret, _ carrier: Session.Carrier) {
        self.state = state
        self.carrier = carrier
    }

    init?(_ fields: HTTPFields) {
        guard let value = SessionCookie.value(named: Self.name, in: fields) else { return nil }
        let parts = value.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let carrier = Session.Carrier(rawValue: String(parts[0])) else { return nil }
        self.init(Secret(String(parts[1])), carrier)
    }
}
