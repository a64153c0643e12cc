package import Base
import Postgres

/// How a wallet is filled by itself.
package struct AutoTopUp: Equatable, Sendable {
    /// Below it the wallet is filled, in nano-dollars.
    package var threshold: Int64
    package var cents: Int64
    /// No more in a month of UTC's.
    package var monthlyCents: Int64
    /// Declined one after the other.
    package internal(set) var failures = 0
    package internal(set) var nextAttemptAt: Timestamp?

    package init(threshold: Int64, cents: Int64, monthlyCents: Int64) {
        self.threshold = threshold
        self.cents = cents
        self.monthlyCents = monthlyCents
    }

    var faults: [Problem.Fault] {
        var faults: [Problem.Fault] = []
        if !(0...WalletStore.most).contains(threshold) {
            faults.append(Problem.Fault("threshold.usd", "must be at most 100000000"))
        }
        if !(StripeBilling.leastCents...SubscribedPlan.mostCents).contains(cents) {
            faults.append(Problem.Fault("amount.usd", "must be between 1.00 and 100000000.00"))
        }
        if monthlyCents < cents || monthlyCents > SubscribedPlan.mostCents {
            faults.append(
                Problem.Fault("monthly_maximum.usd", "must be at least the amount, and at most 100000000.00"))
        }
        return faults
    }

    /// After a decline: an hour, then twice as long, up to a day.
    static func pause(after failures: Int32) -> Duration {
        .seconds(min(86_400, 3600 << min(max(failures - 1, 0), 5)))
    }
}
