/// What somebody looks for in the catalogue. All of it must hold.
package struct CatalogQuery: Equatable, Sendable {
    /// Each word of it begins a word of the model's names. Empty: any.
    package var text = ""
    /// Any of these, where there are some.
    package var providers: [String] = []
    package var modes: [CatalogModel.Mode] = []
    /// All of these, be it in what it takes or in what it gives.
    package var modalities: [CatalogModel.Modality] = []
    package var capabilities: [CatalogModel.Capability] = []
    package var minimumContext: Int?
    /// In pico-dollars for a token. What has no known price is above any ceiling.
    package var highestInputPrice: Int?
    package var highestOutputPrice: Int?
    /// Only those that are free, or only those that are not, or may not be.
    package var isFree: Bool?
    package var includesDeprecated = false
    package var sort = Sort.relevance

    package enum Sort: String, CaseIterable, Sendable {
        /// The best match first; without a text by id.
        case relevance
        /// The cheapest first, by a usual mix of input and output.
        case price
        /// The largest context first.
        case context
        /// By title.
        case name
        /// The newest first.
        case released
    }

    package init(_ change: (inout CatalogQuery) -> Void = { _ in }) { change(&self) }

    /// A number for telling queries apart, the same in every process.
    var fingerprint: UInt64 {
        let parts =
            [text, sort.rawValue, "\(includesDeprecated)"] + [isFree.map { "\($0)" } ?? ""]
            + [minimumContext, highestInputPrice, highestOutputPrice].map { $0.map { "\($0)" } ?? "" }
            + [providers, modes.map(\.rawValue), modalities.map(\.rawValue), capabilities.map(\.rawValue)]
            .map { $0.joined(separator: "\u{1E}") }
        return parts.joined(separator: "\u{1F}").utf8.reduce(0xCBF2_9CE4_8422_2325) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
    }
}
