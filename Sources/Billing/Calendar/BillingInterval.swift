/// How long a period lasts.
package enum BillingInterval: String, CaseIterable, Sendable {
    case month, year

    package var months: Int { self == .month ? 1 : 12 }
}
