import Base
import Catalog
import Testing

struct CatalogSearchTests {
    private static let now = RandomCatalog.now

    // MARK: Properties

    /// Whether a model is among what a query asks for, said as plainly as can be.
    private static func isWanted(_ model: CatalogModel, _ query: CatalogQuery) -> Bool {
        let price = model.price(at: now)
        return (query.providers.isEmpty || query.providers.contains(model.provider))
            && (query.modes.isEmpty || query.modes.contains(model.mode))
            && query.modalities.allSatisfy((model.inputModalities + model.outputModalities).contains)
            && query.capabilities.allSatisfy(model.capabilities.contains)
            && query.minimumContext.map { $0 <= model.contextTokens ?? 0 } ?? true
            && query.highestInputPrice.map { most in price?.input.map { $0 <= most } ?? false } ?? true
            && query.highestOutputPrice.map { most in price?.output.map { $0 <= most } ?? false } ?? true
            && query.isFree.map { $0 == (price?.isFree ?? false) } ?? true
            && (query.includesDeprecated || !model.isDeprecated(at: now))
            && (query.text.isEmpty || hasWords(model, query.text))
    }

    private static func words(_ text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }

    private static func hasWords(_ model: CatalogModel, _ text: String) -> Bool {
        let names = [model.slug] + model.aliases
        let all =
            ([model.id, model.title, model.family] + names).flatMap(words)
            + names.map { words($0).joined() }
        let wanted = words(text)
        return !wanted.isEmpty && wanted.allSatisfy { prefix in all.contains { $0.hasPrefix(prefix) } }
    }

    /// Whether one may come before the other by what is sorted by.
    private static func isInOrder(_ first: CatalogModel, _ second: CatalogModel, _ query: CatalogQuery)
        -> Bool
    {
        func isInOrder<Key: Comparable>(_ key: (CatalogModel) -> Key?) -> Bool {
            guard let left = key(first) else { return key(second) == nil && first.id < second.id }
            guard let right = key(second) else { return true }
            return left == right ? first.id < second.id : left < right
        }
        switch query.sort {
        case .relevance: return !query.text.isEmpty || first.id < second.id
        case .price: return isInOrder { $0.price(at: now)?.ofUsualMix }
        case .context: return isInOrder { $0.contextTokens.map { -$0 } }
        case .name: return isInOrder { $0.title.lowercased() }
        case .released: return isInOrder { $0.releasedOn.map { -$0.microseconds } }
        }
    }

    @Test func `paging gives every match exactly once and in order, and facets count what was found`() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        for round in 0..<150 {
            let models = RandomCatalog.models(Int.random(in: 0...120, using: &random), &random)
            let snapshot = CatalogSnapshot(models)
            let query = RandomCatalog.query(&random)
            let limit = Int.random(in: 1...40, using: &random)
            let what: Comment = "seed \(seed), round \(round), \(query)"
            let expected = models.filter { Self.isWanted($0, query) }
            var found: [CatalogModel] = []
            var cursor: CatalogCursor?
            var pages = 0
            repeat {
                let page = snapshot.search(query, limit: limit, after: cursor, at: Self.now)
                #expect(page.total == expected.count && page.models.count <= limit, what)
                #expect(page.facets == Self.facets(of: expected), what)
                found += page.models
                // As clients see it.
                cursor = page.next.flatMap { CatalogCursor($0.text, of: query) }
                #expect((page.next == nil) == (cursor == nil), what)
                pages += 1
            } while cursor != nil && pages <= models.count + 1
            #expect(found.count == expected.count, what)
            #expect(Set(found.map(\.id)) == Set(expected.map(\.id)), what)
            #expect(pages == max(1, (expected.count + limit - 1) / limit), what)
            for (first, second) in zip(found, found.dropFirst()) {
                #expect(
                    Self.isInOrder(first, second, query), "\(first.id), \(second.id), seed \(seed), \(query)")
            }
        }
    }

    private static func facets(of models: [CatalogModel]) -> CatalogPage.Facets {
        func count(_ values: (CatalogModel) -> Set<String>) -> [CatalogPage.Facet] {
            var counts: [String: Int] = [:]
            for model in models { for value in values(model) { counts[value, default: 0] += 1 } }
            return counts.map { CatalogPage.Facet($0, $1) }
                .sorted { $0.count == $1.count ? $0.value < $1.value : $0.count > $1.count }
        }
        return CatalogPage.Facets(
            providers: count { [$0.provider] }, modes: count { [$0.mode.rawValue] },
            modalities: count { Set(($0.inputModalities + $0.outputModalities).map(\.rawValue)) },
            capabilities: count { Set($0.capabilities.map(\.rawValue)) })
    }

    /// A page that was asked for before the catalogue changed goes on in the one after.
    @Test func `what stays in the catalogue comes once, although others come and go between pages`() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        for round in 0..<60 {
            let models = RandomCatalog.models(80, &random)
            var query = RandomCatalog.query(&random)
            // How well a text fits a model may only change with the model.
            if query.sort == .relevance { query.text = "" }
            let staying = Set(models.filter { _ in Bool.random(using: &random) }.map(\.id))
            let newcomers = RandomCatalog.models(80, &random).map { model in
                CatalogModel(model.provider, "new-" + model.upstreamName, mode: model.mode) {
                    $0.title = model.title
                    $0.prices = model.prices
                }
            }
            let later = CatalogSnapshot(models.filter { staying.contains($0.id) } + newcomers)
            var found: [String] = []
            var page = CatalogSnapshot(models).search(query, limit: 7, at: Self.now)
            found += page.models.map(\.id)
            while let cursor = page.next {
                page = later.search(query, limit: 7, after: cursor, at: Self.now)
                found += page.models.map(\.id)
            }
            let what: Comment = "seed \(seed), round \(round), \(query)"
            #expect(Set(found).count == found.count, what)
            let wanted = models.filter { staying.contains($0.id) && Self.isWanted($0, query) }.map(\.id)
            #expect(Set(wanted).isSubset(of: found), what)
        }
    }

    // MARK: Relevance

    private let shelf = CatalogSnapshot([
        CatalogModel("openai", "gpt-4o") { $0.title = "GPT-4o" },
        CatalogModel("openai", "gpt-4o-mini") { $0.title = "GPT-4o mini" },
        CatalogModel("azure", "gpt-4o") { $0.title = "GPT-4o" },
        CatalogModel("openai", "gpt-4.1-mini") { $0.title = "GPT-4.1 mini" },
        CatalogModel("mistral", "ministral-8b-latest") { $0.title = "Ministral 8B" },
        CatalogModel("anthropic", "claude-haiku-4-5") {
            $0.title = "Claude Haiku 4.5"
            $0.aliases = ["claude-haiku-4.5"]
        },
    ])

    private func find(_ text: String) -> [String] {
        shelf.search(CatalogQuery { $0.text = text }, limit: 10, at: Self.now).models.map(\.id)
    }

    @Test func `a name itself comes first, then what begins with it, then what has its words`() {
        #expect(find("gpt-4o") == ["azure/gpt-4o", "openai/gpt-4o", "openai/gpt-4o-mini"])
        #expect(find("mini") == ["mistral/ministral-8b-latest", "openai/gpt-4.1-mini", "openai/gpt-4o-mini"])
        #expect(find("openai/gpt-4o") == ["openai/gpt-4o", "openai/gpt-4o-mini"])
        #expect(find("mini gpt").count == 2 && find("gpt haiku") == [])
        #expect(find("  GPT4o  ") == ["azure/gpt-4o", "openai/gpt-4o", "openai/gpt-4o-mini"])
        #expect(find("claude-haiku-4.5") == ["anthropic/claude-haiku-4-5"])
        #expect(find("-") == [] && find("ministral 9") == [])
    }

    @Test func `whole words come before beginnings of words`() {
        let snapshot = CatalogSnapshot([
            CatalogModel("a", "x-larger"), CatalogModel("b", "x-large"), CatalogModel("c", "y"),
        ])
        let page = snapshot.search(CatalogQuery { $0.text = "large" }, limit: 5, at: Self.now)
        #expect(page.models.map(\.id) == ["b/x-large", "a/x-larger"])
    }

    // MARK: Cursors

    @Test func `a cursor is good for its query and for no other`() throws {
        let query = CatalogQuery { $0.sort = .name }
        let cursor = try #require(shelf.search(query, limit: 2, at: Self.now).next)
        #expect(CatalogCursor(cursor.text, of: query) == cursor)
        #expect(CatalogCursor(cursor.text, of: CatalogQuery { $0.sort = .price }) == nil)
        #expect(CatalogCursor(cursor.text, of: CatalogQuery { ($0.sort, $0.text) = (.name, "gpt") }) == nil)
        for text in [
            "", "x", "é", "MQ", "MQoyCjMKNA", cursor.text + "=", String(repeating: "A", count: 5000),
        ] {
            #expect(CatalogCursor(text, of: query) == nil, "\(text)")
        }
    }

    @Test func `what is deprecated is hidden from its day on, unless asked for`() {
        let model = CatalogModel("a", "b") {
            $0.deprecatedOn = Self.now
            $0.shutdownOn = Self.now + .seconds(100)
        }
        let snapshot = CatalogSnapshot([model])
        func total(_ now: Timestamp, _ includesDeprecated: Bool = false) -> Int {
            snapshot.search(CatalogQuery { $0.includesDeprecated = includesDeprecated }, limit: 1, at: now)
                .total
        }
        #expect(
            total(Self.now + .microseconds(-1)) == 1 && total(Self.now) == 0 && total(Self.now, true) == 1)
        #expect(
            !model.isShutDown(at: Self.now + .seconds(99)) && model.isShutDown(at: Self.now + .seconds(100)))
    }
}
