/// Money as Stripe counts it: in the smallest unit of its currency.
package struct StripeAmount: Hashable, Sendable {
    package var cents: Int64
    /// In lower case: `usd`.
    package var currency: String

    package init(cents: Int64, currency: String = "usd") {
        self.cents = cents
        self.currency = currency
    }
}
