/// All models as they were at one time, made ready for looking up and searching. It never changes.
package final class CatalogSnapshot: Sendable {
    /// In the order of their ids.
    package let models: [CatalogModel]
    /// Which state of the database it is; 0 is none.
    package let version: Int64
    let index: CatalogIndex
    private let positions: [String: Int]
    /// By every name in small letters: ids, and slugs and aliases with and without their provider.
    private let named: [String: [Int]]
    /// Other names of providers.
    private let providerAliases: [String: String]

    /// - Parameter providerAliases: `google` for `gemini`. They hold for ids and for filters.
    package init(
        _ models: [CatalogModel], version: Int64 = 0, providerAliases: [String: String] = [:]
    ) {
        let models = models.sorted { $0.id < $1.id }
        self.models = models
        self.version = version
        self.providerAliases = providerAliases
        positions = Dictionary(models.enumerated().map { ($1.id, $0) }) { first, _ in first }
        var named: [String: [Int]] = [:]
        for (position, model) in models.enumerated() {
            for name in Set(model.names.map { $0.lowercased() }) { named[name, default: []].append(position) }
        }
        self.named = named
        index = CatalogIndex(models)
    }

    /// The model of this id, exactly.
    package func model(id: String) -> CatalogModel? { positions[id].map { models[$0] } }

    /// Every model that goes by this name: one where it is an id or names a provider, and otherwise at each provider
    /// that serves it, in their order.
    package func models(named name: String) -> [CatalogModel] {
        if let model = model(id: name) { return [model] }
        let folded = name.lowercased()
        let found = named[folded] ?? canonical(name).flatMap { named[$0.lowercased()] }
        return found?.map { models[$0] } ?? []
    }

    /// The name of the provider that goes by this one.
    package func provider(named name: String) -> String { providerAliases[name] ?? name }

    /// The name with its provider's usual one; nil where it has that already, or none.
    private func canonical(_ name: String) -> String? {
        guard let slash = name.utf8.firstIndex(of: 0x2F),
            let provider = providerAliases[String(name[..<slash])]
        else { return nil }
        return provider + name[slash...]
    }

    // MARK: Did you mean

    /// A longer name is nobody's slip of the finger.
    private static let longestMistake = 120
    private static let mostMistakes = 6

    /// The names that look most like `name`: ids where it names a provider, and otherwise names that any provider's
    /// model may have.
    package func nearest(to name: String, limit: Int = 3) -> [String] {
        let needle = Array((canonical(name) ?? name).lowercased().utf8)
        guard !needle.isEmpty, needle.count <= Self.longestMistake, limit > 0 else { return [] }
        let most = min(Self.mostMistakes, max(1, needle.count / 3))
        let candidates = needle.contains(0x2F) ? index.ids : index.slugs
        var found: [(name: String, distance: Int)] = []
        for candidate in candidates {
            if let distance = EditDistance.between(needle, candidate.folded, most: most) {
                found.append((candidate.name, distance))
            }
        }
        found.sort { ($0.distance, $0.name) < ($1.distance, $1.name) }
        return found.prefix(limit).map(\.name)
    }
}
