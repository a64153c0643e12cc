package import Base
package import Identity
import Postgres
package import Stripe

/// What organizations pay for by Stripe: asks for it, and takes what Stripe says of it.
///
/// Of money nothing is believed but what Stripe answers when it is asked. What is asked for is written down before, so that
/// it is done once.
package struct StripeBilling: Sendable {
    package let store: BillingStore
    let wallets: WalletStore
    let stripe: StripeClient
    let webhookSecrets: [Secret]
    /// What is told of how much was used; nil: nothing is.
    let meter: String?
    let counters: StripeCounters
    /// Tells all processes of a change, once it holds.
    let announce: @Sendable (KeyChange) async -> Void

    /// Webhooks beyond it are refused unread.
    package static let largestWebhook = StripeEvent.largestBody

    package init(
        _ store: BillingStore, wallets: WalletStore, stripe: StripeClient, webhookSecrets: [Secret],
        meter: String? = nil, counters: StripeCounters,
        announce: @escaping @Sendable (KeyChange) async -> Void
    ) {
        self.store = store
        self.wallets = wallets
        self.stripe = stripe
        self.webhookSecrets = webhookSecrets
        self.meter = meter
        self.counters = counters
        self.announce = announce
    }

    var now: Timestamp { store.time.timestamp() }

    /// Whose customer it is; nil: none of ours.
    func organization(of customer: String) async throws -> UUID? {
        try await store.system(readOnly: true) { transaction in
            try await transaction.query("SELECT org_id FROM stripe_customers WHERE stripe_id = \(customer)")
                .first?.decode(UUID.self)
        }
    }

    func announce(_ change: KeyChange?) async {
        if let change { await announce(change) }
    }
}
