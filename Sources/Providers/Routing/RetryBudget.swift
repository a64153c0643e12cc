/// How often a request may be sent to the same upstream again: a small part of all requests, so that an upstream that is
/// down is not asked much more often than it would be if it were well.
package struct RetryBudget: Equatable, Sendable {
    /// Each request earns a tenth of a retry.
    private static let price = 10
    /// In tenths: what may be saved, and what there is at the start.
    private static let most = 100
    private static let start = 30

    private var saved = start

    package init() {}

    package mutating func earn() { saved = min(Self.most, saved + 1) }

    /// Whether there is one, which is then spent.
    package mutating func spend() -> Bool {
        guard saved >= Self.price else { return false }
        saved -= Self.price
        return true
    }
}
