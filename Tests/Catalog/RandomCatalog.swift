import Base
import Catalog

/// Models that nobody has chosen, alike enough that filters and orders meet ties.
enum RandomCatalog {
    static let now = Timestamp(seconds: 1_795_000_000)
    private static let providers = ["acme", "bolt", "corp", "dyno"]
    private static let words = ["echo", "story", "gpt", "mini", "large", "4o", "vision", "70b", "é"]

    static func models(_ count: Int, _ random: inout SeededGenerator) -> [CatalogModel] {
        (0..<count).map { number in model(number, &random) }
    }

    private static func model(_ number: Int, _ random: inout SeededGenerator) -> CatalogModel {
        func some<Element>(_ elements: [Element]) -> [Element] {
            elements.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
        }
        func maybe(_ range: ClosedRange<Int>) -> Int? {
            Bool.random(using: &random) ? Int.random(in: range, using: &random) : nil
        }
        func day() -> Timestamp? {
            maybe(-3...3).map { now + .seconds($0 * 86_400) }
        }
        let name = (0..<Int.random(in: 1...3, using: &random)).map { _ in
            words.randomElement(using: &random) ?? "x"
        }
        var model = CatalogModel(
            providers.randomElement(using: &random) ?? "acme", name.joined(separator: "-") + "-\(number)")
        model.slug = name.joined(separator: "-")
        model.title = name.joined(separator: " ").uppercased()
        model.mode = CatalogModel.Mode.allCases.randomElement(using: &random) ?? .chat
        model.aliases = some(["alias-\(number)", "other.\(number)"])
        model.contextTokens = maybe(1...4).map { $0 * 1000 }
        model.inputModalities = some(CatalogModel.Modality.allCases)
        model.outputModalities = some(CatalogModel.Modality.allCases)
        model.capabilities = some(CatalogModel.Capability.allCases)
        model.releasedOn = day()
        model.deprecatedOn = day()
        model.shutdownOn = day()
        if Bool.random(using: &random) {
            model.prices = [ModelPrice(from: now + .seconds(-10), input: maybe(0...3), output: maybe(0...3))]
        }
        return model
    }

    static func query(_ random: inout SeededGenerator) -> CatalogQuery {
        func rarely<Element>(_ elements: [Element]) -> [Element] {
            Int.random(in: 0..<4, using: &random) == 0
                ? elements.shuffled(using: &random).prefix(1).map { $0 } : []
        }
        func seldom(_ range: ClosedRange<Int>) -> Int? {
            Int.random(in: 0..<5, using: &random) == 0 ? Int.random(in: range, using: &random) : nil
        }
        return CatalogQuery { query in
            query.text =
                rarely(["echo", "gpt 4o", "EC", "mini-1", "acme/", "é", "gpt4o", "-", "story large"]).first
                ?? ""
            query.providers = rarely(providers + ["nobody"])
            query.modes = rarely(CatalogModel.Mode.allCases)
            query.modalities = rarely(CatalogModel.Modality.allCases)
            query.capabilities = rarely(CatalogModel.Capability.allCases)
            query.minimumContext = seldom(500...3500)
            query.highestInputPrice = seldom(0...3)
            query.highestOutputPrice = seldom(0...3)
            query.isFree = seldom(0...1).map { $0 == 1 }
            query.includesDeprecated = Bool.random(using: &random)
            query.sort = CatalogQuery.Sort.allCases.randomElement(using: &random) ?? .relevance
        }
    }
}
