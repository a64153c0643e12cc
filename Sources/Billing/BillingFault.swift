package import Base

/// What cannot be, unless something else is broken.
package enum BillingFault: Error, Equatable {
    /// The ledger says that less has been used than was invoiced.
    case usageShrank(UUID)
}
