package import Base

/// A calendar month somewhere.
package struct Month: Equatable, Sendable {
    /// Years times 12, and months.
    package var index: Int64
    /// In milliseconds since 1970.
    package var start: Int64
    package var end: Int64

    package init(index: Int64, start: Int64, end: Int64) {
        self.index = index
        self.start = start
        self.end = end
    }
}

/// The present month of an organization, and those to come, as the database knows them.
package struct Calendar: Equatable, Sendable {
    private var months: [Month]

    /// - Parameter starts: of months that follow each other; two at least.
    package init(starts: [(index: Int, start: Timestamp)]) {
        months = zip(starts, starts.dropFirst()).map { month, next in
            Month(
                index: Int64(month.index), start: month.start.microseconds / 1000,
                end: next.start.microseconds / 1000)
        }
        // What lies before and behind is as good as in the first and the last: that can be only where Redis's clock is
        // months away from the database's.
        if !months.isEmpty {
            months[0].start = 0
            months[months.count - 1].end = .max / 4096
        }
    }

    package func month(at now: Int64) -> Month? { months.first { now < $0.end } }
}
