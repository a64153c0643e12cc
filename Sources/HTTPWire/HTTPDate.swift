package import Base

/// The `Date` field line, made once a second.
package struct HTTPDate: Sendable {
    private var second = Int64.min
    private var line: [UInt8] = []

    package init() {}

    /// `Date: Sat, 21 Nov 2026 02:28:20 GMT` and its line end.
    package mutating func line(at time: Timestamp) -> [UInt8] {
        let now = time.seconds
        if now != second {
            second = now
            line.removeAll(keepingCapacity: true)
            line.append("Date: " as StaticString)
            Self.append(time, to: &line)
            line.append("\r\n" as StaticString)
        }
        return line
    }

    /// The preferred format of RFC 9110, 5.6.7.
    package static func append(_ time: Timestamp, to output: inout [UInt8]) {
        let civil = CivilTime(time)
        output.append(weekdays[civil.weekday])
        output.append(", " as StaticString)
        output.append(decimal: civil.day, width: 2)
        output.append(" " as StaticString)
        output.append(months[civil.month - 1])
        output.append(" " as StaticString)
        output.append(decimal: civil.year, width: 4)
        output.append(" " as StaticString)
        output.append(decimal: civil.hour, width: 2)
        output.append(":" as StaticString)
        output.append(decimal: civil.minute, width: 2)
        output.append(":" as StaticString)
        output.append(decimal: civil.second, width: 2)
        output.append(" GMT" as StaticString)
    }

    private static let weekdays: [StaticString] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months: [StaticString] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
