import Synchronization

/// What a process counts, in the words of Prometheus.
///
/// A series is created once and kept by whoever counts; counting is one relaxed atomic addition.
// The families are behind a mutex; each series is atomic.
package final class Metrics: @unchecked Sendable {
    /// Label values come from routes, statuses and configuration. Should one ever come from a caller, it ends here.
    static let largestSeriesCount = 2000

    private enum Series {
        case counter(Counter)
        case gauge(@Sendable () -> Double)
        case histogram(Histogram)
    }

    private struct Family {
        let name: String
        let help: String
        let kind: String
        var series: [(labels: String, series: Series)] = []
    }

    private let families = Locked<[Family]>([])

    package init() {}

    package typealias Labels = KeyValuePairs<String, String>

    /// Names end in `_total`.
    package func counter(_ name: String, _ help: String, _ labels: Labels = [:]) -> Counter {
        let counter = Counter()
        add(name, help, "counter", labels, .counter(counter))
        return counter
    }

    /// A value that is read when somebody asks.
    package func gauge(
        _ name: String, _ help: String, _ labels: Labels = [:], _ read: @escaping @Sendable () -> Double
    ) {
        add(name, help, "gauge", labels, .gauge(read))
    }

    /// Durations in seconds; names end in `_seconds`.
    package func histogram(_ name: String, _ help: String, _ labels: Labels = [:]) -> Histogram {
        let histogram = Histogram()
        add(name, help, "histogram", labels, .histogram(histogram))
        return histogram
    }

    private func add(_ name: String, _ help: String, _ kind: String, _ labels: Labels, _ series: Series) {
        let text = Self.text(of: labels)
        families.withLock { families in
            let index = families.firstIndex { $0.name == name } ?? families.count
            if index == families.count { families.append(Family(name: name, help: help, kind: kind)) }
            guard families[index].series.count < Self.largestSeriesCount else { return }
            families[index].series.append((text, series))
        }
    }

    /// The text exposition format, version 0.0.4.
    package func render() -> [UInt8] {
        let families = families.withLock { $0 }
        var text: [UInt8] = []
        for family in families.sorted(by: { $0.name < $1.name }) {
            text.append("# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.kind)\n")
            for (labels, series) in family.series {
                switch series {
                case .counter(let counter):
                    Self.write(family.name, labels, "\(counter.value)", into: &text)
                case .gauge(let read):
                    Self.write(family.name, labels, Self.text(of: read()), into: &text)
                case .histogram(let histogram):
                    Self.write(family.name, labels, histogram.snapshot(), into: &text)
                }
            }
        }
        return text
    }

    private static func write(
        _ name: String, _ labels: String, _ snapshot: Histogram.Snapshot, into text: inout [UInt8]
    ) {
        let separator = labels.isEmpty ? "" : ","
        var sum: UInt64 = 0
        for (bound, count) in zip(Histogram.bounds, snapshot.counts) {
            sum += count
            write("\(name)_bucket", "\(labels)\(separator)le=\"\(bound.text)\"", "\(sum)", into: &text)
        }
        sum += snapshot.counts.last ?? 0
        write("\(name)_bucket", "\(labels)\(separator)le=\"+Inf\"", "\(sum)", into: &text)
        write("\(name)_sum", labels, Self.text(of: Double(snapshot.nanoseconds) / 1e9), into: &text)
        write("\(name)_count", labels, "\(sum)", into: &text)
    }

    private static func write(_ name: String, _ labels: String, _ value: String, into text: inout [UInt8]) {
        text.append(name)
        if !labels.isEmpty { text.append("{\(labels)}") }
        text.append(" \(value)\n")
    }

    private static func text(of value: Double) -> String {
        value == value.rounded() && value.magnitude < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    private static func text(of labels: Labels) -> String {
        labels.map { name, value in
            var escaped = ""
            for character in value.unicodeScalars {
                switch character {
                case "\\": escaped += "\\\\"
                case "\"": escaped += "\\\""
                case "\n": escaped += "\\n"
                default: escaped.unicodeScalars.append(character)
                }
            }
            return "\(name)=\"\(escaped)\""
        }.joined(separator: ",")
    }
}

/// A number that only grows.
package final class Counter: Sendable {
    private let total = Atomic<UInt64>(0)

    package var value: UInt64 { total.load(ordering: .relaxed) }

    package func add(_ amount: Int = 1) {
        total.wrappingAdd(UInt64(max(0, amount)), ordering: .relaxed)
    }
}
