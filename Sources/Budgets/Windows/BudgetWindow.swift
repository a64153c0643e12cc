package import Base

/// One span of a budget: what may be spent in it, and what was. It is a limit on money, as gateways know them.
package struct BudgetWindow: Equatable, Sendable {
    /// The limit.
    package let id: UUID
    /// nil: always.
    package let range: Range<Timestamp>?
    package let cap: Int64
    /// Spent, and in the books.
    package let spent: Int64
    /// What gateways may spend by themselves.
    package let granted: Int64

    package init(id: UUID, range: Range<Timestamp>?, cap: Int64, spent: Int64, granted: Int64 = 0) {
        self.id = id
        self.range = range
        self.cap = cap
        self.spent = spent
        self.granted = granted
    }

    package var left: Int64 { max(0, cap - spent) }

    /// In whole percent of the amount, rounded down; nil where that is nothing.
    package var usedPercent: Int? {
        guard cap > 0 else { return nil }
        return Int(clamping: Int128(spent) * 100 / Int128(cap))
    }

    package enum State: String, CaseIterable, Sendable {
        case ok
        /// The lowest threshold is reached.
        case warned
        /// Nothing is left.
        case spent
    }

    package func state(thresholds: [Int]) -> State {
        if spent >= cap { return .spent }
        guard let lowest = thresholds.first else { return .ok }
        return spent > 0 && Int128(spent) * 100 >= Int128(cap) * Int128(lowest) ? .warned : .ok
    }
}
