/// How a provider wants to be shown who asks.
package enum UpstreamAuthorization: Equatable, Sendable {
    case none
    /// `Authorization: Bearer …`
    case bearer
    /// A field of its own: `x-api-key`, `api-key`, `x-goog-api-key`.
    case field(String)
    /// Every request is signed; the key is `ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]`.
    case awsSignature(region: String, service: String)
}
