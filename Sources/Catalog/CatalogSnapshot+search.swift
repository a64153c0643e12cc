package import Base

extension CatalogSnapshot {
    package static let largestPage = 1000

    /// The models that `query` asks for, as of `now`: the first `limit`, or those behind `cursor`.
    ///
    /// - Parameter isShown: what who asks may know of; nil: everything.
    package func search(
        _ query: CatalogQuery, limit: Int, after cursor: CatalogCursor? = nil, at now: Timestamp,
        among isShown: ((CatalogModel) -> Bool)? = nil
    ) -> CatalogPage {
        var found = CatalogSearch(index, query, providers: query.providers.map(provider(named:)), now).run()
        if let isShown { found = found.filter { isShown(models[$0.position]) } }
        let start = cursor.map { first(behind: $0, in: found, by: query.sort) } ?? 0
        let end = min(found.count, start + max(1, min(limit, Self.largestPage)))
        let isLast = end >= found.count
        return CatalogPage(
            models: found[start..<end].map { models[$0.position] }, total: found.count,
            facets: index.facets(of: found),
            next: isLast ? nil : place(of: found[end - 1], query))
    }

    private func place(of match: CatalogSearch.Match, _ query: CatalogQuery) -> CatalogCursor {
        CatalogCursor(
            fingerprint: query.fingerprint, key: query.sort == .name ? 0 : match.key,
            id: models[match.position].id, title: query.sort == .name ? index.titles[match.position] : "")
    }

    /// Where to go on. Titles are compared themselves: their numbers are others when the catalogue has changed.
    private func first(
        behind cursor: CatalogCursor, in found: [CatalogSearch.Match], by sort: CatalogQuery.Sort
    ) -> Int {
        var low = 0
        var high = found.count
        while low < high {
            let middle = (low + high) / 2
            let match = found[middle]
            let id = models[match.position].id
            let isBehind =
                sort == .name
                ? (cursor.title, cursor.id) < (index.titles[match.position], id)
                : (cursor.key, cursor.id) < (match.key, id)
            if isBehind { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
