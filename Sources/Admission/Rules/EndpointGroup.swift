/// Endpoints that are limited together.
package enum EndpointGroup: String, CaseIterable, Sendable {
    case chat, embeddings, images, management
}
