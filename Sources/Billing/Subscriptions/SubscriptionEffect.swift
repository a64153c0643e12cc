package import Base

/// What is to be done because a subscription has changed.
package enum SubscriptionEffect: Equatable, Sendable {
    /// From now on the organization has this plan.
    case grant(plan: String)
    /// Something is to be paid. `withUsage`: what was used up to now goes on the same invoice.
    case invoice([InvoiceLine], due: Timestamp, withUsage: Bool)
    /// The first invoice was never paid, and nothing was delivered for it.
    case voidInvoices
    /// Nobody expects any more that the invoices are paid.
    case giveUpInvoices
    /// An invoice is overdue, and it is the n-th time that we say so.
    case remind(Int)
    /// Stripe owns the subscription: it is asked, and what it makes of it comes back.
    case askStripe(SubscriptionEvent)
}
