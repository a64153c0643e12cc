package import Base

extension BillingPeriod {
    /// What of a price for the whole period falls on the rest of it from `moment` on: by the second, exactly, and rounded
    /// half up once.
    package func rest(of cents: Int64, from moment: Timestamp) -> Int64 {
        share(of: cents, seconds: end.seconds - min(max(moment, start), end).seconds)
    }

    private func share(of cents: Int64, seconds: Int64) -> Int64 {
        precondition(cents >= 0, "a price is not negative")
        let total = Int128(self.seconds)
        // No more than `cents`, so it fits.
        return Int64((2 * Int128(cents) * Int128(seconds) + total) / (2 * total))
    }
}
