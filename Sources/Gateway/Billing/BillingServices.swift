import Base
package import Billing

/// What the billing routes of one loop work with.
package struct BillingServices: Sendable {
    package let store: BillingStore
    let wallets: WalletStore
    /// Who asks, on invoices: a line each.
    let seller: String
    /// nil: payments are taken by hand.
    package let stripe: StripeBilling?

    package init(
        _ store: BillingStore, wallets: WalletStore, seller: String, stripe: StripeBilling? = nil
    ) {
        self.stripe = stripe
        self.store = store
        self.wallets = wallets
        self.seller = seller
    }
}

extension Gateway {
    /// Every billing route comes by here.
    func requireBilling() throws(Problem) -> BillingServices {
        guard let billing else { throw .billingDisabled }
        return billing
    }
}

extension Problem {
    fileprivate static let billingDisabled = Problem(
        .notFound, code: "billing_disabled",
        "Nobody pays here: this instance has no billing. Its operator turns it on with ENABLE_BILLING=true.")
}
