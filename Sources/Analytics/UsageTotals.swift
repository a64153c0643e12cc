import Postgres

/// What use adds up to. Amounts are nano-dollars.
package struct UsageTotals: Equatable, Sendable {
    package var calls: Int64 = 0
    /// Calls that failed in the end.
    package var errors: Int64 = 0
    /// Of calls that asked the cache, and of those whose answer it had.
    package var lookups: Int64 = 0
    package var hits: Int64 = 0
    package var input: Int64 = 0
    /// Of the input.
    package var cachedInput: Int64 = 0
    package var output: Int64 = 0
    package var cost: Int64 = 0
    package var charge: Int64 = 0
    /// What kept answers would have cost.
    package var saved: Int64 = 0
    package var latency = LatencyHistogram()
    package var firstToken = LatencyHistogram()

    package init() {}

    package static func += (totals: inout UsageTotals, more: UsageTotals) {
        totals.calls += more.calls
        totals.errors += more.errors
        totals.lookups += more.lookups
        totals.hits += more.hits
        totals.input += more.input
        totals.cachedInput += more.cachedInput
        totals.output += more.output
        totals.cost += more.cost
        totals.charge += more.charge
        totals.saved += more.saved
        totals.latency += more.latency
        totals.firstToken += more.firstToken
    }

    /// The sums, to be added up again.
    static let parts: SQL = """
        sum(calls) AS calls, sum(errors) AS errors, sum(lookups) AS lookups, sum(hits) AS hits, sum(input) AS input,
        sum(cached_input) AS cached_input, sum(output) AS output, sum(cost_nano) AS cost_nano,
        sum(charge_nano) AS charge_nano, sum(saved_nano) AS saved_nano
        """

    /// The sums, for a statement that reads them in the order of `init(_:)`.
    static let columns: SQL = """
        sum(calls)::bigint, sum(errors)::bigint, sum(lookups)::bigint, sum(hits)::bigint, sum(input)::bigint,
        sum(cached_input)::bigint, sum(output)::bigint, sum(cost_nano)::bigint, sum(charge_nano)::bigint,
        sum(saved_nano)::bigint
        """

    typealias Columns = (Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64)

    init(_ sums: Columns) {
        (calls, errors, lookups, hits, input, cachedInput, output, cost, charge, saved) = sums
    }
}
