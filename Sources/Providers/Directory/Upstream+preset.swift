package import Base
import HTTPWire

extension Upstream.Settings {
    /// Why a provider cannot be reached as it is set up.
    package enum Misfit: Error, Equatable, Sendable {
        /// The base URL must be said: each customer has another.
        case needsBaseURL
        case invalidBaseURL
        /// Requests are signed for a region that the base URL does not tell.
        case needsRegion
        /// A key for signing is an id, a secret and, where there is one, a session's token, with colons between them.
        case invalidKey
    }

    /// A provider of which a row is known, reached at `baseURL` or where that row says.
    ///
    /// - Parameter values: of the placeholders in the row's base URL.
    package init(
        _ preset: ProviderPreset, baseURL given: String? = nil, values: [String: String] = [:], keys: [Secret]
    ) throws(Misfit) {
        guard let baseURL = given ?? preset.baseURL(filling: values) else { throw .needsBaseURL }
        guard (try? URLAddress(baseURL)) != nil else { throw .invalidBaseURL }
        self.init(
            name: preset.name, title: preset.title, chat: preset.chatCodec,
            responses: preset.responsesCodec, embeddings: preset.embeddingCodec, images: preset.imageCodec,
            baseURL: baseURL,
            authorization: keys.isEmpty ? .none : preset.authorization, keys: keys,
            // What is listed there are models, not the customer's deployments.
            modelsPath: preset.deployments == nil ? preset.modelsPath : nil)
        guard case .signatureV4 = preset.authorization else { return }
        region = values["region"] ?? preset.values(in: baseURL)["region"]
        guard region != nil else { throw .needsRegion }
        guard keys.allSatisfy({ $0.reveal().split(separator: ":").count >= 2 }) else { throw .invalidKey }
    }
}
