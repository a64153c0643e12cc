/// What of usage goes on an invoice: whole cents. What is less is carried to the next.
struct UsageShare: Equatable {
    var usageCents: Int64 = 0
    var commissionCents: Int64 = 0
    /// Less than a cent.
    var carryNanodollars: Int64 = 0

    /// Σ invoiced + carry = Σ used, whatever the steps. The commission is rounded down by itself, and what is over is
    /// with the usage.
    init(usage: Int64, commission: Int64, carry: Int64) {
        let total = Int128(usage) + Int128(commission) + Int128(carry)
        let cent = Int128(USCents.nanodollars)
        commissionCents = commission / USCents.nanodollars
        usageCents = Int64(total / cent) - commissionCents
        carryNanodollars = Int64(total % cent)
    }
}
