/// The rules of money, said as plainly as possible.
struct ReferenceMoney {
    /// Which process of Redis it is.
    var run: Int64 = 1
    private(set) var slices: [String: Slice] = [:]
    private(set) var holds: [String: Hold] = [:]
    private(set) var grants: [String: [Grant]] = [:]

    struct Slice {
        var left: Int64 = 0
        var held: Int64 = 0
        var run: Int64
        var born: Int64
    }

    struct Hold {
        var run: Int64
        var time: Int64
        var amounts: [Int64]
    }

    struct Grant {
        var number: Int64
        var time: Int64
    }

    /// What is of this process; another's is worth nothing.
    private func present(_ field: String) -> Slice? {
        slices[field].flatMap { $0.run == run ? $0 : nil }
    }

    // MARK: Holding

    /// What each has left and holds; nil where it is enough.
    func shortage(of money: [(field: String, amount: Int64)]) -> [Int64]? {
        let isShort = money.contains { $0.amount > 0 && (present($0.field)?.left ?? 0) < $0.amount }
        guard isShort else { return nil }
        return money.flatMap { [present($0.field)?.left ?? 0, present($0.field)?.held ?? 0] }
    }

    mutating func hold(_ money: [(field: String, amount: Int64)], as name: String, at now: Int64) {
        for (field, amount) in money {
            var slice = present(field) ?? Slice(run: run, born: now)
            slice.left -= amount
            slice.held += amount
            slices[field] = slice
        }
        holds[name] = Hold(run: run, time: now, amounts: money.map(\.amount))
    }

    /// Says whether the hold was there.
    mutating func settle(_ settlement: Step.Settlement) -> Bool {
        guard let hold = holds.removeValue(forKey: settlement.hold) else {
            if !settlement.isRepeated { payWithoutHold(settlement) }
            return false
        }
        guard hold.run == run else { return true }
        for ((field, cost), amount) in zip(zip(settlement.money, settlement.costs), hold.amounts) {
            guard var slice = present(field) else { continue }
            slice.held -= amount
            slice.left += amount - cost
            slices[field] = slice
        }
        return true
    }

    /// Somebody has given back what was held. A slice that came later has nothing to do with it.
    private mutating func payWithoutHold(_ settlement: Step.Settlement) {
        for (field, cost) in zip(settlement.money, settlement.costs) {
            guard let slice = present(field), slice.born <= settlement.admittedAt else { continue }
            slices[field]?.left -= cost
        }
    }

    // MARK: Funding

    /// Of each grant: 1 it came in, 2 it had before, 0 it may not.
    mutating func fund(_ funding: Step.Funding, at now: Int64) -> [Int64] {
        funding.grants.map { fund($0.limit, $0.number, $0.amount, funding, at: now) }
    }

    private mutating func fund(
        _ limit: String, _ number: Int64, _ amount: Int64, _ funding: Step.Funding, at now: Int64
    ) -> Int64 {
        guard funding.run == run else { return 0 }
        let (slices, list) = ("b" + limit, "t" + limit)
        if grants[list, default: []].contains(where: { $0.number == number }) { return 2 }
        let remembered = grants[list, default: []].filter { $0.time + funding.memory > now }
        guard now <= funding.latest, remembered.count < funding.most else { return 0 }
        let slice = present(slices)
        if funding.isRepeated, slice.map({ $0.born > funding.issuedAt }) ?? true { return 0 }
        self.slices[slices] = slice ?? Slice(run: run, born: now)
        self.slices[slices]?.left += amount
        grants[list] = remembered + [Grant(number: number, time: now)]
        return 1
    }

    var fields: [String: [Int64]] {
        var fields = slices.mapValues { [$0.left, $0.held, $0.run, $0.born] }
        for (field, hold) in holds { fields[field] = [hold.run, hold.time] + hold.amounts }
        for (field, grants) in grants { fields[field] = grants.flatMap { [$0.number, $0.time] } }
        return fields
    }
}
