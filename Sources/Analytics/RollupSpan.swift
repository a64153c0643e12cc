package import Base

/// Consecutive sums of one length: `minutes` each, from `start` to before `end`.
package struct RollupSpan: Equatable, Sendable {
    package var minutes: Int16
    package var start: Timestamp
    package var end: Timestamp

    /// The fewest sums that together are exactly what lies between two quarter hours, none longer than `coarsest` and none
    /// shorter than `finest`.
    package static func covering(
        _ start: Timestamp, _ end: Timestamp, coarsest: Int16 = 10_080, finest: Int16 = 15
    ) -> [RollupSpan] {
        cover(start, end, [10_080, 1440, 60, 15].filter { $0 <= coarsest && $0 >= finest }[...])
    }

    private static func cover(
        _ start: Timestamp, _ end: Timestamp, _ lengths: ArraySlice<Int16>
    ) -> [RollupSpan] {
        guard start < end, let minutes = lengths.first else { return [] }
        let (low, high) = (start.roundedUp(to: minutes), end.roundedDown(to: minutes))
        guard low < high else { return cover(start, end, lengths.dropFirst()) }
        return cover(start, low, lengths.dropFirst())
            + [RollupSpan(minutes: minutes, start: low, end: high)]
            + cover(high, end, lengths.dropFirst())
    }
}

extension Timestamp {
    /// To a beginning of so many minutes, counted from 1970.
    func roundedDown(to minutes: Int16) -> Timestamp {
        let length = Int64(minutes) * 60_000_000
        let rest = microseconds % length
        return Timestamp(microseconds: microseconds - (rest < 0 ? rest + length : rest))
    }

    func roundedUp(to minutes: Int16) -> Timestamp {
        let down = roundedDown(to: minutes)
        return down == self ? down : Timestamp(microseconds: down.microseconds + Int64(minutes) * 60_000_000)
    }
}
