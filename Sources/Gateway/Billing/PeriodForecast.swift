import Base

/// What will have been used at the end of a period, were it to go on as until now.
enum PeriodForecast {
    /// The shortest time from which anything is concluded: of a first request in the first minute nothing follows for a month.
    static let shortest: Int64 = 3600

    /// - Parameter amount: what was used from `start` until `now`, in nano-dollars.
    static func nanodollars(_ amount: Int64, from start: Timestamp, to end: Timestamp, at now: Timestamp)
        -> Int64
    {
        let whole = end.seconds - start.seconds
        let elapsed = max(now.seconds - start.seconds, shortest)
        guard amount > 0, elapsed < whole else { return amount }
        let product = amount.multipliedFullWidth(by: whole)
        // The quotient must have room.
        guard product.high < elapsed / 2 else { return .max }
        return elapsed.dividingFullWidth(product).quotient
    }
}
