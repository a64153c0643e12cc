import Glibc

/// A moment on the wall clock (UTC), to the microsecond, as Postgres keeps it.
package struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    package init(seconds: Int64) { microseconds = seconds * 1_000_000 }

    package var seconds: Int64 {
        microseconds >= 0 ? microseconds / 1_000_000 : (microseconds + 1) / 1_000_000 - 1
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microseconds < right.microseconds
    }

    package static func + (start: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(microseconds: start.microseconds + duration.nanoseconds / 1000)
    }

    package static func - (left: Timestamp, right: Timestamp) -> Duration {
        .microseconds(left.microseconds - right.microseconds)
    }

    /// The kernel's real-time clock.
    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    /// RFC 3339 in UTC with milliseconds: `2026-11-21T02:28:20.123Z`.
    package var description: String {
        let civil = CivilTime(self)
        var text: [UInt8] = []
        text.reserveCapacity(24)
        text.append(decimal: civil.year, width: 4)
        text.append(0x2D)
        text.append(decimal: civil.month, width: 2)
        text.append(0x2D)
        text.append(decimal: civil.day, width: 2)
        text.append(0x54)
        text.append(decimal: civil.hour, width: 2)
        text.append(0x3A)
        text.append(decimal: civil.minute, width: 2)
        text.append(0x3A)
        text.append(decimal: civil.second, width: 2)
        text.append(0x2E)
        text.append(decimal: civil.microsecond / 1000, width: 3)
        text.append(0x5A)
        return String(decoding: text, as: UTF8.self)
    }
}

/// A UTC moment as people write it (proleptic Gregorian calendar).
package struct CivilTime: Equatable, Sendable {
    package var year: Int
    package var month: Int
    package var day: Int
    package var hour: Int
    package var minute: Int
    package var second: Int
    package var microsecond: Int
    /// 0 is Sunday.
    package var weekday: Int

    package init(_ timestamp: Timestamp) {
        let day = Self.floorDivide(timestamp.microseconds, 86_400_000_000)
        let rest = Int(timestamp.microseconds - day * 86_400_000_000)
        hour = rest / 3_600_000_000
        minute = rest / 60_000_000 % 60
        second = rest / 1_000_000 % 60
        microsecond = rest % 1_000_000
        weekday = Int(((day + 4) % 7 + 7) % 7)

        // Days are counted from 0000-03-01 so that the leap day ends a year; 400 years are 146,097 days.
        let shifted = Int(day) + 719_468
        let era = Int(Self.floorDivide(Int64(shifted), 146_097))
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        self.day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : (value + 1) / divisor - 1
    }
}
