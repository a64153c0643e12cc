/// What of that which is owed for use goes on an invoice: whole cents. What is less waits for the next.
struct UsageShare: Equatable {
    var usageCents: Int64 = 0
    var commissionCents: Int64 = 0
    /// Less than a cent.
    var carryNanodollars: Int64 = 0

    /// - Parameters:
    ///   - owed: in nano-dollars; what was paid ahead is less than 0, and nothing is asked for.
    ///   - usage, commission: what was earned since the last time. What is owed is divided like this.
    init(of owed: Int64, usage: Int64, commission: Int64) {
        guard owed > 0 else { return }
        let cents = owed / USCents.nanodollars
        carryNanodollars = owed % USCents.nanodollars
        let (usage, commission) = (Int128(max(usage, 0)), Int128(max(commission, 0)))
        if commission > 0 { commissionCents = Int64(Int128(cents) * commission / (usage + commission)) }
        usageCents = cents - commissionCents
    }
}
