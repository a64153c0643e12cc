import Base

/// One search: which models, and in which order.
struct CatalogSearch {
    /// A model that was found. The smaller key comes first, and of equal ones the smaller position.
    struct Match: Equatable {
        let position: Int
        let key: Int
    }

    private let index: CatalogIndex
    private let query: CatalogQuery
    private let now: Timestamp
    private let providers: Set<Int>
    private let modes: Set<Int>
    private let modalities: UInt32
    private let capabilities: UInt32
    private let needle: [UInt8]

    /// - Parameter providers: those of the query, by the names that the index has for them.
    init(_ index: CatalogIndex, _ query: CatalogQuery, providers: [String], _ now: Timestamp) {
        self.index = index
        self.query = query
        self.now = now
        // A provider that nobody knows has no models, which is not the same as no wish.
        self.providers = Set(providers.map { index.providers.firstIndex(of: $0) ?? -1 })
        modes = Set(query.modes.map(\.number))
        modalities = query.modalities.mask
        capabilities = query.capabilities.mask
        needle = Array(
            query.text.lowercased().utf8.drop { $0 == 0x20 }.reversed().drop { $0 == 0x20 }.reversed())
    }

    func run() -> [Match] {
        var matches: [Match] = []
        if needle.isEmpty {
            for (position, entry) in index.entries.enumerated() where takes(entry) {
                matches.append(Match(position: position, key: key(of: entry, relevance: 0)))
            }
        } else {
            for (position, wholeWords) in index.words.texts(with: WordIndex.words(of: query.text)) {
                let entry = index.entries[position]
                guard takes(entry) else { continue }
                let relevance = query.sort == .relevance ? relevance(of: entry, wholeWords) : 0
                matches.append(Match(position: position, key: key(of: entry, relevance: relevance)))
            }
        }
        // They come in the order of their positions, which is that of relevance where there is none.
        if query.sort == .relevance, needle.isEmpty { return matches }
        return matches.sorted { ($0.key, $0.position) < ($1.key, $1.position) }
    }

    private func takes(_ entry: CatalogIndex.Entry) -> Bool {
        guard providers.isEmpty || providers.contains(entry.provider),
            modes.isEmpty || modes.contains(entry.mode), entry.modalities & modalities == modalities,
            entry.capabilities & capabilities == capabilities
        else { return false }
        if let least = query.minimumContext, entry.context ?? 0 < least { return false }
        if !query.includesDeprecated, let deprecated = entry.deprecated, deprecated <= now { return false }
        return isWithinBudget(entry)
    }

    private func isWithinBudget(_ entry: CatalogIndex.Entry) -> Bool {
        if query.highestInputPrice == nil, query.highestOutputPrice == nil, query.isFree == nil {
            return true
        }
        let price = entry.period(at: now)
        if let most = query.highestInputPrice {
            guard let input = price?.input, input <= most else { return false }
        }
        if let most = query.highestOutputPrice {
            guard let output = price?.output, output <= most else { return false }
        }
        return query.isFree.map { $0 == price?.isFree ?? false } ?? true
    }

    /// A name itself, the beginning of one, or words of it; and the more whole words the better.
    private func relevance(of entry: CatalogIndex.Entry, _ wholeWords: Int) -> Int {
        let kind =
            entry.names.contains(needle) ? 2 : entry.names.contains { $0.starts(with: needle) } ? 1 : 0
        return (kind << 32) + wholeWords
    }

    private func key(of entry: CatalogIndex.Entry, relevance: Int) -> Int {
        switch query.sort {
        case .relevance: -relevance
        case .price: entry.period(at: now)?.ofUsualMix ?? .max
        case .context: entry.context.map { -$0 } ?? .max
        case .name: entry.titleRank
        case .released: entry.released.map { -Int($0.microseconds) } ?? .max
        }
    }
}
