import Base
import Postgres

/// What rows add up to, by point and by name.
struct UsageTally {
    private(set) var points: [Timestamp: UsageTotals] = [:]
    private(set) var names: [String: UsageTotals] = [:]

    mutating func add(sums rows: PostgresRows) throws {
        for row in rows {
            let (point, name, a, b, c, d, e, f, g, h, i, j) = try row.decode(
                (Timestamp, String, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64).self
            )
            let totals = UsageTotals((a, b, c, d, e, f, g, h, i, j))
            points[point, default: UsageTotals()] += totals
            names[name, default: UsageTotals()] += totals
        }
    }

    mutating func add(latencies rows: PostgresRows) throws {
        for row in rows {
            let (point, name, counts) = try row.decode((Timestamp, String, [UInt8]).self)
            let pair = LatencyHistogram.Pair(counts)
            points[point, default: UsageTotals()].add(pair)
            names[name, default: UsageTotals()].add(pair)
        }
    }
}

extension UsageTotals {
    fileprivate mutating func add(_ pair: LatencyHistogram.Pair) {
        latency += pair.whole
        firstToken += pair.firstToken
    }
}
