import Admission
import Base

/// Why there is no money for a request.
struct MoneyShortage: Equatable, Sendable {
    /// The limit at which it fails.
    var limit: TouchedLimit
    var reason: Reason
    /// Of a budget or a wallet, in nano-dollars, as far as that is known.
    var affordable: Int64 = 0
    /// The most that the request can cost.
    var needed: Int64 = 0

    enum Reason: Equatable, Sendable, CaseIterable {
        /// It can cost more than the limit ever allows.
        case neverFits
        /// What is left does not do.
        case spent
        /// What others hold who are under way would do.
        case heldByOthers
        /// Nobody knows at the moment.
        case unavailable
    }
}
