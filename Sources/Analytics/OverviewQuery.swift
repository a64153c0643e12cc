package import Base

/// Which use is wanted, and how it is to be cut.
package struct OverviewQuery: Sendable {
    package private(set) var start: Timestamp
    package private(set) var end: Timestamp
    /// As the database spells it.
    package var zone: String
    package var interval: Interval
    package var grouping: Grouping?
    /// Whether the time of the same length before it is wanted, too.
    package var comparesBefore: Bool

    package static let longestDays: Int64 = 400
    package static let mostPoints: Int64 = 3_000
    package static let mostGroups = 100

    package enum Interval: String, CaseIterable, Sendable {
        case quarterHour = "quarter_hour"
        case hour, day

        var minutes: Int64 {
            switch self {
            case .quarterHour: 15
            case .hour: 60
            case .day: 1440
            }
        }
    }

    package enum Grouping: String, CaseIterable, Sendable {
        case provider, model, key, user, tag
    }

    /// Times are taken outwards to quarter hours, or to hours where tags are wanted: sums are no finer. Throws a problem that
    /// names all that is wrong.
    package init(
        from start: Timestamp, to end: Timestamp, zone: String = "UTC", interval: Interval = .day,
        grouping: Grouping? = nil, comparesBefore: Bool = false
    ) throws(Problem) {
        let finest: Int16 = grouping == .tag ? 60 : 15
        self.start = start.roundedDown(to: finest)
        self.end = end.roundedUp(to: finest)
        self.zone = zone
        self.interval = interval
        self.grouping = grouping
        self.comparesBefore = comparesBefore
        let minutes = (end.seconds - start.seconds) / 60
        if end <= start {
            throw Self.problem("from", "must be before \"to\"")
        }
        if minutes > Self.longestDays * 1440 {
            throw Self.problem("from", "must be at most \(Self.longestDays) days before \"to\"")
        }
        if minutes / interval.minutes > Self.mostPoints {
            throw Self.problem(
                "interval",
                "is too short for this time: that would be more than \(Self.mostPoints) points; take a longer one"
            )
        }
    }

    private static func problem(_ field: String, _ message: String) -> Problem {
        Problem(faults: [Problem.Fault(field, message)], code: "invalid_range")
    }
}
