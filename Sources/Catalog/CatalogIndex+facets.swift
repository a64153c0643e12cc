extension CatalogIndex {
    func facets(of matches: [CatalogSearch.Match]) -> CatalogPage.Facets {
        var byProvider = [Int](repeating: 0, count: providers.count)
        var byMode = [Int](repeating: 0, count: CatalogModel.Mode.allCases.count)
        var byModality = [Int](repeating: 0, count: CatalogModel.Modality.allCases.count)
        var byCapability = [Int](repeating: 0, count: CatalogModel.Capability.allCases.count)
        for match in matches {
            let entry = entries[match.position]
            byProvider[entry.provider] += 1
            byMode[entry.mode] += 1
            Self.count(entry.modalities, in: &byModality)
            Self.count(entry.capabilities, in: &byCapability)
        }
        return CatalogPage.Facets(
            providers: Self.facets(byProvider, providers),
            modes: Self.facets(byMode, CatalogModel.Mode.allCases.map(\.rawValue)),
            modalities: Self.facets(byModality, CatalogModel.Modality.allCases.map(\.rawValue)),
            capabilities: Self.facets(byCapability, CatalogModel.Capability.allCases.map(\.rawValue)))
    }

    private static func count(_ mask: UInt32, in counts: inout [Int]) {
        var rest = mask
        while rest != 0 {
            counts[rest.trailingZeroBitCount] += 1
            rest &= rest - 1
        }
    }

    private static func facets(_ counts: [Int], _ names: [String]) -> [CatalogPage.Facet] {
        zip(names, counts).filter { $0.1 > 0 }.map { CatalogPage.Facet($0, $1) }
            .sorted { ($1.count, $0.value) < ($0.count, $1.value) }
    }
}
