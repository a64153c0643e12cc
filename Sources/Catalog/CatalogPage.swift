/// A part of what a search found.
package struct CatalogPage: Equatable, Sendable {
    package var models: [CatalogModel]
    /// How many there are on all pages.
    package var total: Int
    package var facets: Facets
    /// Where the next page begins; nil on the last.
    package var next: CatalogCursor?

    /// How many of all that were found have what. The most frequent first, and none that nobody has.
    package struct Facets: Equatable, Sendable {
        package var providers: [Facet] = []
        package var modes: [Facet] = []
        package var modalities: [Facet] = []
        package var capabilities: [Facet] = []

        package init(
            providers: [Facet] = [], modes: [Facet] = [], modalities: [Facet] = [], capabilities: [Facet] = []
        ) {
            self.providers = providers
            self.modes = modes
            self.modalities = modalities
            self.capabilities = capabilities
        }
    }

    package struct Facet: Equatable, Sendable {
        package var value: String
        package var count: Int

        package init(_ value: String, _ count: Int) {
            self.value = value
            self.count = count
        }
    }
}
