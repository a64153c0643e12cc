/// Whose money it is, or what became of it. Each organization has one of each kind; the platform's are added up over all.
package enum LedgerAccount: String, CaseIterable, Sendable {
    // The organization's.

    /// Paid for, and not spent yet. Never below nothing.
    case wallet
    /// Given, and not spent yet.
    case promo
    /// Set aside.
    case escrow
    /// Owed to us: below nothing.
    case receivable

    // The platform's.

    case cash
    case usageRevenue = "usage_revenue"
    case commissionRevenue = "commission_revenue"
    case subscriptionRevenue = "subscription_revenue"
    case providerCost = "provider_cost"
    case refunds
    case writeOff = "write_off"
    case disputes
    case rounding
}
