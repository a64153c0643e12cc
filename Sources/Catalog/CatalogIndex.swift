import Base

/// What a search reads of every model, so that it touches no strings but those it compares with.
struct CatalogIndex: Sendable {
    struct Name: Sendable {
        let name: String
        /// In small letters.
        let folded: [UInt8]
    }

    struct Entry: Sendable {
        let provider: Int
        let mode: Int
        let capabilities: UInt32
        let modalities: UInt32
        let context: Int?
        /// Place among the titles.
        let titleRank: Int
        let released: Timestamp?
        let deprecated: Timestamp?
        let periods: [Period]
        /// All that it is called, in small letters.
        let names: [[UInt8]]
    }

    /// A price, as far as searches know it.
    struct Period: Sendable {
        let from: Timestamp
        let until: Timestamp?
        let input: Int?
        let output: Int?
        let ofUsualMix: Int?
        let isFree: Bool
    }

    let entries: [Entry]
    let providers: [String]
    let ids: [Name]
    let slugs: [Name]
    let words: WordIndex
    /// The titles in small letters, by position.
    let titles: [String]

    /// - Parameter models: in the order of their ids.
    init(_ models: [CatalogModel]) {
        let providers = Set(models.map(\.provider)).sorted()
        let providerNumbers = Dictionary(uniqueKeysWithValues: providers.enumerated().map { ($1, $0) })
        let titles = models.map { $0.title.lowercased() }
        var titleRanks = [Int](repeating: 0, count: models.count)
        let distinct = Set(titles).sorted()
        let rankOf = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, $0) })
        for (position, title) in titles.enumerated() { titleRanks[position] = rankOf[title] ?? 0 }
        self.providers = providers
        self.titles = titles
        entries = models.enumerated().map { position, model in
            Entry(
                provider: providerNumbers[model.provider] ?? 0, mode: model.mode.number,
                capabilities: model.capabilities.mask,
                modalities: (model.inputModalities + model.outputModalities).mask,
                context: model.contextTokens, titleRank: titleRanks[position], released: model.releasedOn,
                deprecated: [model.deprecatedOn, model.shutdownOn].compactMap { $0 }.min(),
                periods: model.prices.map(Period.init), names: Self.names(of: model))
        }
        ids = models.map { Name(name: $0.id, folded: Array($0.id.lowercased().utf8)) }
        slugs = Set(models.map(\.slug)).sorted().map { Name(name: $0, folded: Array($0.lowercased().utf8)) }
        words = WordIndex(models.map(Self.words))
    }

    private static func names(of model: CatalogModel) -> [[UInt8]] {
        let names = [model.id, model.upstreamName, model.slug, model.title] + model.aliases
        return Set(names.map { $0.lowercased() }).map { Array($0.utf8) }
    }

    private static func words(of model: CatalogModel) -> Set<[UInt8]> {
        let texts = [model.id, model.slug, model.title, model.family] + model.aliases
        var words = Set(texts.flatMap { WordIndex.words(of: $0) })
        // Many write names without their hyphens and dots: gpt4o.
        for name in [model.slug] + model.aliases { words.insert(WordIndex.words(of: name).flatMap { $0 }) }
        return words
    }
}

extension CatalogIndex.Period {
    fileprivate init(_ price: ModelPrice) {
        self.init(
            from: price.from, until: price.until, input: price.input, output: price.output,
            ofUsualMix: price.ofUsualMix, isFree: price.isFree)
    }
}

extension CatalogIndex.Entry {
    func period(at now: Timestamp) -> CatalogIndex.Period? {
        periods.last { period in period.from <= now && period.until.map { now < $0 } ?? true }
    }
}
