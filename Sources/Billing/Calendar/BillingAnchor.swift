package import Base

/// From where the periods of a subscription are counted: a second of a day of a month, in UTC. A month that has no such
/// day has its last one instead, and the month after it has the day again.
package struct BillingAnchor: Equatable, Sendable {
    package let moment: Timestamp
    package let interval: BillingInterval

    package init(_ moment: Timestamp, every interval: BillingInterval) {
        self.moment = Timestamp(seconds: moment.seconds)
        self.interval = interval
    }

    /// When the period begins that lies `count` behind the first. Always counted from the anchor: from one period to the
    /// next the 31st would be lost.
    package func start(of count: Int) -> Timestamp {
        let civil = CivilTime(moment)
        let month = civil.year * 12 + civil.month - 1 + count * interval.months
        let year = Self.floorDivide(month, 12)
        let day = min(civil.day, Self.days(of: month - year * 12 + 1, in: year))
        let second = civil.hour * 3600 + civil.minute * 60 + civil.second
        return Timestamp(
            seconds: Self.days(before: year, month - year * 12 + 1, day) * 86_400 + Int64(second))
    }

    package func period(_ count: Int) -> BillingPeriod {
        BillingPeriod(start: start(of: count), end: start(of: count + 1))
    }

    package func period(containing moment: Timestamp) -> BillingPeriod {
        let (first, civil) = (CivilTime(self.moment), CivilTime(moment))
        let months = (civil.year - first.year) * 12 + civil.month - first.month
        let count = Self.floorDivide(months, interval.months)
        // In its own month a moment may still lie before the day on which the period begins.
        return period(moment < start(of: count) ? count - 1 : count)
    }

    // MARK: The Gregorian calendar

    private static func days(of month: Int, in year: Int) -> Int {
        let isLeap = year % 4 == 0 && year % 100 != 0 || year % 400 == 0
        return switch month {
        case 2: isLeap ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// From 1970-01-01 to that day. As in `CivilTime`, years begin in March.
    private static func days(before year: Int, _ month: Int, _ day: Int) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = floorDivide(shiftedYear, 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return Int64(era * 146_097 + dayOfEra - 719_468)
    }

    private static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
        value >= 0 ? value / divisor : (value + 1) / divisor - 1
    }
}
