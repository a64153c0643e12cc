import Billing
import Gateway
import HTTPClient
import Identity
import Loop
import Postgres
import Stripe

extension Configuration {
    /// What the billing routes of a loop work with; nil: nobody pays.
    func billing(
        _ pool: PostgresPool, _ people: IdentityServices, _ client: HTTPClient, _ counters: StripeCounters?,
        on loop: EventLoop
    ) -> BillingServices? {
        guard hasBilling else { return nil }
        let identity = people.store
        let store = BillingStore(
            pool, identity: identity,
            remind: { reminder, transaction in
                try await identity.tellOwners(
                    of: reminder.invoice.organization, .reminder(reminder), transaction)
            })
        let wallets = WalletStore(pool, identity: identity)
        return BillingServices(
            store, wallets: wallets, seller: seller ?? publicURL,
            stripe: stripe.flatMap { settings in
                counters.map { counters in
                    let stripe = StripeClient(
                        StripeConfiguration(secretKey: settings.secretKey, baseURL: settings.baseURL), client,
                        on: loop)
                    return StripeBilling(
                        store, wallets: wallets, stripe: stripe, webhookSecrets: settings.webhookSecrets,
                        meter: settings.meter, counters: counters, announce: people.announce)
                }
            })
    }
}
