import Base

/// What a sign-in carries to the identity provider and back. All but the state itself is made from it under a secret of
/// the instance, so that nothing of it has to be kept; and whoever sees the state in an address bar learns nothing else.
struct SSOState {
    let secret: PresentedSecret
    private let key: KeyedDigest

    init(_ secret: PresentedSecret, under key: KeyedDigest) {
        self.secret = secret
        self.key = key
    }

    /// Comes back inside the ID token, and ties it to this sign-in.
    var nonce: String { derived("nonce") }
    /// Shown to the token endpoint only: proof that we are who began (RFC 7636).
    var verifier: String { derived("verifier") }
    /// What the authorization endpoint is told of it.
    var challenge: String { Base64.encodeURL(Digest.sha256(verifier.utf8)) }

    private func derived(_ purpose: String) -> String {
        Base64.encodeURL(key.hmacSHA256(of: Array("\(purpose):\(secret.secret.reveal())".utf8)))
    }
}
