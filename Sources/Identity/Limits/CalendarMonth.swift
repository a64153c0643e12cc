package import Base

/// A month as an organization counts it.
package struct CalendarMonth: Equatable, Sendable {
    /// year * 12 + month - 1
    package var index: Int
    package var start: Timestamp

    package init(index: Int, start: Timestamp) {
        self.index = index
        self.start = start
    }

    /// The one that begins at `start` somewhere on earth. Its middle lies in the same month everywhere.
    init(startingAt start: Timestamp) {
        let middle = CivilTime(start + .seconds(15 * 86_400))
        self.init(index: middle.year * 12 + middle.month - 1, start: start)
    }
}
