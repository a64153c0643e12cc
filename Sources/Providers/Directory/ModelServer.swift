/// A program of the house that serves models to whoever asks, and can be told by what it answers.
package enum ModelServer: String, CaseIterable, Sendable {
    case ollama, vllm, llamacpp, lmstudio

    /// What it says of each of its models in `owned_by`. Of those that come from elsewhere Ollama names the place:
    /// whoever they belong to at its registry or at Hugging Face. Those that users make belong to its library, too.
    private var owner: String {
        switch self {
        case .ollama: "library"
        case .vllm: "vllm"
        case .llamacpp: "llamacpp"
        case .lmstudio: "organization_owner"
        }
    }

    init?(owner: String) {
        guard let server = Self.allCases.first(where: { $0.owner == owner }) else { return nil }
        self = server
    }

    /// Whether it would call its own models so. Ollama puts the owner before the name, and an owner may have the name of
    /// a program.
    func couldMean(_ model: String) -> Bool { !model.hasPrefix("\(owner)/") }

    /// How it is reached at `address`; nil where no row says how it is spoken with.
    package func settings(at address: ModelServerAddress) -> Upstream.Settings? {
        guard let preset = ProviderPreset.named(rawValue), let path = preset.basePath else { return nil }
        var settings = try? Upstream.Settings(preset, baseURL: address.url + path, keys: [])
        settings?.isDirect = true
        return settings
    }
}
