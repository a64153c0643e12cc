package import Base

/// What a list of prices would change in the catalogue. Pure: nothing is written.
package struct PriceImport: Sendable {
    /// A new price this many times as high as the known one, or as low, is rather a slip than a price.
    package static let jump = 20

    /// A model whose price changes.
    package struct Change: Equatable, Sendable {
        package let model: String
        /// nil where none was known.
        package let old: ModelPrice?
        package let new: ModelPrice
        /// What is suspiciously far from what was known.
        package let jumps: [PriceColumn]

        /// What is another price than before.
        package var columns: [PriceColumn] { PriceColumn.allCases.filter { old?[$0] != new[$0] } }
    }

    package private(set) var changes: [Change] = []
    /// Models whose price is as the list has it.
    package private(set) var unchanged: [String] = []
    /// Models whose price was entered here, and stays.
    package private(set) var kept: [String] = []
    /// How many in the list the catalogue does not have, or not with a price of its maker's.
    package private(set) var unknownCount = 0
    /// What is wrong with the list: then nothing of it is written.
    package private(set) var faults: [String] = []

    package var jumps: [Change] { changes.filter { !$0.jumps.isEmpty } }

    /// - Parameters:
    ///   - models: the catalogue.
    ///   - now: when the new prices begin to hold.
    package init(
        _ list: [ListedPrice], source: String, over models: [CatalogModel], at now: Timestamp
    ) {
        let known = CatalogSnapshot(models)
        var found: [(model: CatalogModel, listed: ListedPrice)] = []
        var places: [String: Int] = [:]
        for listed in list {
            guard let model = Self.model(of: listed, in: known) else {
                unknownCount += 1
                continue
            }
            faults += listed.faults.map { "\(listed.name): \($0)" }
            guard let place = places[model.id] else {
                places[model.id] = found.count
                found.append((model, listed))
                continue
            }
            let other = found[place].listed
            switch (other.isExact(for: model), listed.isExact(for: model)) {
            case (true, true) where !other.saysTheSame(as: listed):
                faults.append("\(other.name) and \(listed.name) are one model, with different prices")
            case (false, true): found[place].listed = listed
            // Which of several snapshots it is, nobody says.
            case (false, false) where !other.saysTheSame(as: listed): found[place].listed.amounts = [:]
            default: break
            }
        }
        for (model, listed) in found { compare(model, listed, source, now) }
    }

    private static func model(of listed: ListedPrice, in known: CatalogSnapshot) -> CatalogModel? {
        if let model = known.model(id: listed.id) { return model }
        guard let name = listed.makersName else { return nil }
        let named = known.models(named: name)
        // Anybody may serve what is open, and ask less for it.
        guard named.count == 1, let model = named.first, !model.capabilities.contains(.openWeights) else {
            return nil
        }
        return model
    }

    private mutating func compare(
        _ model: CatalogModel, _ listed: ListedPrice, _ source: String, _ now: Timestamp
    ) {
        guard !listed.amounts.isEmpty else { return }
        if model.source == Self.entered || model.prices.contains(where: { $0.source == Self.entered }) {
            kept.append(model.id)
            return
        }
        let old = model.price(at: now)
        var new = old ?? ModelPrice(from: now)
        new.from = now
        // What is known to come stays.
        new.until = old?.until ?? model.prices.map(\.from).filter { $0 > now }.min()
        new.source = source
        if let above = listed.longAbove {
            new.longContext = .init(
                above: above, input: listed.amounts[.longInput] ?? old?.longContext?.input,
                output: listed.amounts[.longOutput] ?? old?.longContext?.output)
        }
        for (column, amount) in listed.amounts { new[column] = amount }
        let isSame =
            PriceColumn.allCases.allSatisfy { old?[$0] == new[$0] }
            && old?.longContext?.above == new.longContext?.above
        if isSame {
            unchanged.append(model.id)
        } else {
            let jumps = PriceColumn.allCases.filter { Self.isJump(from: old?[$0], to: new[$0]) }
            changes.append(Change(model: model.id, old: old, new: new, jumps: jumps))
        }
    }

    /// The source of what was entered here.
    private static let entered = "operator"

    private static func isJump(from old: Int?, to new: Int?) -> Bool {
        guard let old, let new, old != new else { return false }
        // Nothing is infinitely less than something.
        guard min(old, new) > 0 else { return true }
        return max(old, new) / jump >= min(old, new) && max(old, new) > min(old, new) * jump
    }
}

extension ListedPrice {
    fileprivate func isExact(for model: CatalogModel) -> Bool { id == model.id || makersName == model.id }

    fileprivate func saysTheSame(as other: ListedPrice) -> Bool {
        amounts == other.amounts && longAbove == other.longAbove
    }
}
