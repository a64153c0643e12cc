package import Base
import Chat
package import Identity
package import Providers

/// The providers that can be reached here: those that a release knows, and those that whoever manages the instance has
/// added. Keeps the directory as the database has it. Shared by all loops.
package final class InstanceUpstreams: Sendable {
    package let directory: UpstreamDirectory
    private let logger: Logger

    private struct Added {
        var providers: [String: ProviderPreset] = [:]
        /// Raised whenever they change.
        var version = 0
        /// Looks at the database so far, and the last that counts.
        var looks = 0
        var newestLook = 0
        /// What the last one saw.
        var credentials: [RoutingCredential]?
    }

    private let added = Locked(Added())

    package init(_ directory: UpstreamDirectory, logger: Logger) {
        self.directory = directory
        self.logger = logger
    }

    /// Reads what the database has.
    package func refresh(from store: IdentityStore) async throws {
        let look = added.withLock { added in
            added.looks += 1
            return added.looks
        }
        let stored = try await store.instanceRouting()
        let providers = stored.providers.compactMap { ProviderPreset($0) }
        let named = Dictionary(providers.map { ($0.name, $0) }) { first, _ in first }
        added.withLock { added in
            // Who began to look later has seen at least as much.
            guard look > added.newestLook else { return }
            added.newestLook = look
            if added.providers == named, added.credentials == stored.credentials { return }
            if added.providers != named { added.version += 1 }
            added.providers = named
            added.credentials = stored.credentials
            directory.replace(
                Self.settings(stored.credentials, providers, among: named, logger), from: .operator)
        }
    }

    /// An upstream for each place that there are keys for, and for each of `providers` without any: it may need none.
    private static func settings(
        _ credentials: [RoutingCredential], _ providers: [ProviderPreset],
        among added: [String: ProviderPreset],
        _ logger: Logger
    ) -> [Upstream.Settings] {
        let keyed = Set(credentials.map(\.provider))
        let open = providers.filter { !keyed.contains($0.name) }.compactMap { preset in
            try? Upstream.Settings(preset, keys: [])
        }
        return settings(for: credentials, of: nil, among: added, logger) + open
    }

    /// How the provider of this name is spoken with; nil where there is none.
    func provider(named name: String) -> ProviderPreset? {
        ProviderPreset.named(name) ?? added.withLock { $0.providers[name] }
    }

    /// Of all that can be spoken with.
    var names: [String] {
        (ProviderPreset.all.filter(\.isSpoken).map(\.name) + added.withLock { Array($0.providers.keys) })
            .sorted()
    }

    /// Which state of the added providers it is.
    var version: Int { added.withLock { $0.version } }

    /// An upstream for each provider and place that there are keys for. `owner` is the organization whose keys they
    /// are.
    func settings(for credentials: [RoutingCredential], of owner: UUID?) -> [Upstream.Settings] {
        Self.settings(for: credentials, of: owner, among: added.withLock { $0.providers }, logger)
    }

    private static func settings(
        for credentials: [RoutingCredential], of owner: UUID?, among added: [String: ProviderPreset],
        _ logger: Logger
    ) -> [Upstream.Settings] {
        func provider(named name: String) -> ProviderPreset? { ProviderPreset.named(name) ?? added[name] }
        struct Place: Hashable {
            var provider: String
            var baseURL: String?
        }
        var places: [Place] = []
        var keys: [Place: [Secret]] = [:]
        for credential in credentials {
            guard let preset = provider(named: credential.provider) else { continue }
            let place = Place(provider: preset.name, baseURL: credential.baseURL)
            if !places.contains(place) { places.append(place) }
            switch credential.key {
            case .open(let key): keys[place, default: []].append(key)
            case .shut(let failure):
                logger.error(
                    "the key of a credential cannot be read", ("credential", "\(credential.id)"),
                    ("reason", "\(failure)"))
            case .missing: break
            }
        }
        return places.compactMap { place in
            guard let preset = provider(named: place.provider), let keys = keys[place] else { return nil }
            do throws(Upstream.Settings.Misfit) {
                var settings = try Upstream.Settings(preset, baseURL: place.baseURL, keys: keys)
                settings.owner = owner
                settings.isGuarded = owner != nil && place.baseURL != nil
                return settings
            } catch {
                // Only from before the provider was known, or known otherwise.
                logger.warning(
                    "keys for a provider cannot be used", ("provider", "\(place.provider)"),
                    ("organization", "\(owner?.description ?? "")"), ("reason", "\(error)"))
                return nil
            }
        }
    }
}

extension ProviderPreset {
    /// The formats that a provider may be added in.
    enum Dialect: String, CaseIterable {
        case openAI = "openai"
        case openAIResponses = "openai-responses"
        case anthropic, gemini, cohere, ollama
    }

    /// nil where a newer program has added it, in a format that this one does not know.
    fileprivate init?(_ stored: StoredProvider) {
        guard let dialect = Dialect(rawValue: stored.dialect) else { return nil }
        self.init(stored.name, dialect, title: stored.title, baseURL: stored.baseURL)
    }

    /// One that speaks a known dialect, and of which no more is known.
    init(_ name: String, _ dialect: Dialect, title: String, baseURL: String) {
        let chat: ChatDialect =
            switch dialect {
            case .openAI: .openAIChat
            case .openAIResponses: .openAIResponses
            case .anthropic: .anthropic
            case .gemini: .gemini
            case .cohere: .cohere
            case .ollama: .ollama
            }
        self.init(name, title, chat: chat, baseURL: baseURL) { preset in
            preset.isKeyOptional = true
            switch dialect {
            case .openAI:
                preset.embeddings = .openAI
                preset.images = .openAI
            case .openAIResponses: preset.embeddings = .openAI
            case .anthropic: preset.authorization = .header("x-api-key")
            case .gemini:
                preset.embeddings = .gemini
                preset.authorization = .header("x-goog-api-key")
            case .cohere: preset.embeddings = .cohere
            case .ollama: preset.embeddings = .ollama
            }
        }
    }
}
