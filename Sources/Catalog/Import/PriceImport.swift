package import Base

/// What lists of prices would change in the catalogue. Pure: nothing is written.
package struct PriceImport: Sendable {
    /// A new price that is more than this many times as high as the known one, or as low, is rather a slip than a price.
    package static let jump = 2
    /// So is more than this for a token: a thousand dollars for a million.
    package static let mostPerToken = 1_000_000_000

    /// Prices, and whose they are.
    package struct List: Sendable {
        package let source: String
        package let prices: [ListedPrice]

        package init(_ prices: [ListedPrice], source: String) {
            self.source = source
            self.prices = prices
        }
    }

    /// A model whose price changes.
    package struct Change: Equatable, Sendable {
        package let model: String
        /// nil where none was known.
        package let old: ModelPrice?
        package let new: ModelPrice
        /// Why it is not applied; none where it is.
        package let reasons: [Reason]

        package init(model: String, old: ModelPrice?, new: ModelPrice, reasons: [Reason]) {
            self.model = model
            self.old = old
            self.new = new
            self.reasons = reasons
        }

        /// What is another price than before.
        package var columns: [PriceColumn] { PriceColumn.allCases.filter { old?[$0] != new[$0] } }
    }

    /// What is applied.
    package private(set) var changes: [Change] = []
    /// What an operator has to approve.
    package private(set) var quarantined: [Change] = []
    /// The proposals that wait for that already.
    package private(set) var waiting: Set<UUID> = []
    /// How many were rejected, and so are not proposed again.
    package private(set) var rejectedCount = 0
    /// What waits although its source says something else by now.
    package private(set) var withdrawn: [UUID] = []
    /// Models whose price is as the list has it.
    package private(set) var unchanged: [String] = []
    /// Models whose price was entered here, and stays.
    package private(set) var kept: [String] = []
    /// How many in the lists the catalogue does not have, or not with a price of its maker's.
    package private(set) var unknownCount = 0
    /// What the lists say of models whose prices are not entered here.
    package private(set) var listings: [PriceListing] = []
    /// Whose lists these are.
    package let sources: [String]
    /// What is wrong with a list: then nothing is written.
    package private(set) var faults: [String] = []

    private let history: PriceHistory
    private let now: Timestamp

    /// - Parameters:
    ///   - models: the catalogue.
    ///   - now: when the new prices begin to hold.
    package init(
        _ lists: [List], over models: [CatalogModel], after history: PriceHistory = PriceHistory(),
        at now: Timestamp
    ) {
        self.history = history
        self.now = now
        sources = lists.map(\.source)
        let known = CatalogSnapshot(models)
        var said: [String: [PriceListing]] = [:]
        var order: [CatalogModel] = []
        for list in lists {
            for (model, listed) in find(list.prices, in: known) where !listed.amounts.isEmpty {
                if said[model.id] == nil { order.append(model) }
                said[model.id, default: []].append(
                    PriceListing(
                        model.id, source: list.source, amounts: listed.amounts, longAbove: listed.longAbove))
            }
        }
        for model in order { judge(model, said[model.id] ?? []) }
        withdrawn = history.open.filter { open in
            sources.contains(open.source) && said[open.model] != nil && !waiting.contains(open.id)
        }.map(\.id)
    }

    // MARK: Which models

    /// The models of a list, and what it says of each.
    private mutating func find(
        _ list: [ListedPrice], in known: CatalogSnapshot
    ) -> [(model: CatalogModel, listed: ListedPrice)] {
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
        return found
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

    // MARK: What becomes of their prices

    private mutating func judge(_ model: CatalogModel, _ said: [PriceListing]) {
        if model.source == Self.entered || model.prices.contains(where: { $0.source == Self.entered }) {
            kept.append(model.id)
            return
        }
        listings += said
        // What a source has said before, what it says now takes the place of.
        let others = history.listings[model.id, default: []].filter { !sources.contains($0.source) }
        let old = model.price(at: now)
        var agreed: PriceListing?
        for listing in said {
            let reasons = disputes(of: listing, with: said + others, after: old)
            if reasons.isEmpty {
                agreed = agreed?.joined(with: listing) ?? listing
            } else {
                compare(model, listing, reasons)
            }
        }
        if let agreed { compare(model, agreed, []) }
    }

    /// What others say of what would be another price.
    private func disputes(
        of listing: PriceListing, with others: [PriceListing], after old: ModelPrice?
    ) -> [Reason] {
        let new = listing.price(after: old)
        return others.flatMap { other in
            listing.disputes(with: other).filter { old?[$0] != new[$0] }.map {
                Reason(.disagreement, $0, other: other.source)
            }
        }
    }

    private mutating func compare(_ model: CatalogModel, _ listing: PriceListing, _ disputes: [Reason]) {
        let old = model.price(at: now)
        var new = listing.price(after: old)
        new.from = now
        // What is known to come stays.
        new.until = old?.until ?? model.prices.map(\.from).filter { $0 > now }.min()
        if old?.asksTheSame(as: new) ?? false {
            if unchanged.last != model.id { unchanged.append(model.id) }
            return
        }
        let change = Change(
            model: model.id, old: old, new: new, reasons: Self.slips(from: old, to: new) + disputes)
        if change.reasons.isEmpty { changes.append(change) } else { propose(change) }
    }

    private mutating func propose(_ change: Change) {
        let source = change.new.source
        if let open = history.open.first(where: { open in
            open.model == change.model && open.source == source && open.price.asksTheSame(as: change.new)
                && open.comparedFrom == change.old?.from
        }) {
            waiting.insert(open.id)
        } else if history.rejected[change.model, default: []].contains(where: { rejected in
            rejected.source == source && rejected.asksTheSame(as: change.new)
        }) {
            rejectedCount += 1
        } else {
            quarantined.append(change)
        }
    }

    /// The source of what was entered here.
    static let entered = "operator"

    private static func slips(from old: ModelPrice?, to new: ModelPrice) -> [Reason] {
        PriceColumn.allCases.flatMap { column -> [Reason] in
            // Where much input begins is part of what it costs.
            let isMoved =
                [.longInput, .longOutput].contains(column)
                && isJump(from: old?.longContext?.above, to: new.longContext?.above)
            guard let amount = new[column], old?[column] != amount || isMoved else { return [] }
            let isTooHigh = column.isPerToken && amount > mostPerToken
            return (isTooHigh ? [Reason(.tooHigh, column)] : [])
                + (isMoved || isJump(from: known(column, of: old), to: amount) ? [Reason(.jump, column)] : [])
        }
    }

    /// What has been asked: without a price of its own much input costs what other does.
    private static func known(_ column: PriceColumn, of old: ModelPrice?) -> Int? {
        switch column {
        case .longInput: old?[column] ?? old?.input
        case .longOutput: old?[column] ?? old?.output
        default: old?[column]
        }
    }

    private static func isJump(from old: Int?, to new: Int?) -> Bool {
        guard let old, let new, old != new else { return false }
        // Nothing is infinitely less than something.
        guard min(old, new) > 0 else { return true }
        let (most, isAny) = min(old, new).multipliedReportingOverflow(by: jump)
        return !isAny && max(old, new) > most
    }
}

extension ListedPrice {
    fileprivate func isExact(for model: CatalogModel) -> Bool { id == model.id || makersName == model.id }

    fileprivate func saysTheSame(as other: ListedPrice) -> Bool {
        amounts == other.amounts && longAbove == other.longAbove
    }
}
