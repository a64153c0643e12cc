import Base
import Catalog
import Chat

/// Writes a line of `UsageColumns`, in the text form of Postgres's COPY.
struct UsageRow {
    private(set) var bytes: [UInt8]

    private static let null: StaticString = "\\N\t"

    init(capacity: Int) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    mutating func end() { bytes[bytes.count - 1] = 0x0A }

    mutating func add(_ flag: Bool) { bytes.append(flag ? "t\t" as StaticString : "f\t") }

    mutating func add(_ number: Int64) {
        bytes.append(decimal: Int(number))
        bytes.append(0x09)
    }

    mutating func add(_ number: Int64?) {
        if let number { add(number) } else { bytes.append(Self.null) }
    }

    mutating func add(_ id: UUID) {
        id.append(to: &bytes)
        bytes.append(0x09)
    }

    mutating func add(_ id: UUID?) {
        if let id { add(id) } else { bytes.append(Self.null) }
    }

    mutating func add(_ text: String?) {
        guard let text else { return bytes.append(Self.null) }
        add(text: text.utf8)
    }

    /// - Parameter text: a zero byte in it, which Postgres takes nowhere, is left out.
    mutating func add(text: some Sequence<UInt8>) {
        for byte in text {
            switch byte {
            case 0x09: bytes.append("\\t" as StaticString)
            case 0x0A: bytes.append("\\n" as StaticString)
            case 0x0D: bytes.append("\\r" as StaticString)
            case 0x5C: bytes.append("\\\\" as StaticString)
            case 0: break
            default: bytes.append(byte)
            }
        }
        bytes.append(0x09)
    }

    /// An array's elements, none of which needs quotes.
    mutating func add<Element>(array: some Sequence<Element>, _ write: (Element, inout [UInt8]) -> Void) {
        bytes.append(0x7B)
        var isFirst = true
        for element in array {
            if !isFirst { bytes.append(0x2C) }
            isFirst = false
            write(element, &bytes)
        }
        bytes.append("}\t" as StaticString)
    }
}

extension UsageEvent {
    /// Its lines: one for each attempt, or one where nobody was asked.
    ///
    /// - Parameter calls: how many calls were like it, where nobody was asked.
    func appendRows(to bytes: inout [UInt8], calls: Int = 1) {
        var row = UsageRow(capacity: 640 * max(1, attempts.count))
        if attempts.isEmpty {
            row.addCall(self, attempt: 0, isLast: true, calls: calls)
            row.add(kept?.provider ?? "")
            row.add(kept?.model ?? "")
            row.addNoAttempt(
                at: at, outcome: kept == nil ? "failed" : "kept", cache: cache,
                saved: max(0, kept?.nanodollarsSaved ?? 0))
            row.addEnd(self, isLast: true, override: nil)
        }
        for (place, attempt) in attempts.enumerated() {
            let isLast = place == attempts.count - 1
            row.addCall(self, attempt: place + 1, isLast: isLast)
            row.add(attempt, cache: isLast ? cache : nil)
            row.addEnd(self, isLast: isLast, override: attempt.override)
        }
        bytes += row.bytes
    }
}

extension UsageRow {
    mutating func addCall(_ event: UsageEvent, attempt: Int, isLast: Bool, calls: Int = 1) {
        add(event.id)
        add(Int64(attempt))
        add(event.at.microseconds)
        add(isLast)
        add(Int64(calls))
        add(event.organization)
        add(event.user)
        add(event.key)
        add(event.requestID)
        add(event.endpoint)
        add(event.model)
    }

    fileprivate mutating func add(_ attempt: UsageEvent.Attempt, cache: String?) {
        add(attempt.provider)
        add(attempt.model)
        add(attempt.isOwnKey)
        add(attempt.started.microseconds)
        add(Self.microseconds(attempt.latency))
        add(attempt.timeToFirstToken.map(Self.microseconds))
        add(attempt.outcome.rawValue)
        add(attempt.fault)
        add(cache)
        let usage = attempt.usage ?? ChatUsage()
        add(usage.isEstimated)
        for count in [
            usage.input, usage.cacheRead, usage.cacheWrite, usage.cacheWriteHour, usage.audioInput,
            usage.imageInput, usage.output, usage.reasoning, usage.audioOutput, usage.imageOutput,
        ] { add(Int64(max(0, count))) }
        add(Int64(attempt.imageCount))
        add(attempt.priceFrom?.microseconds)
        add(attempt.cost)
        add(attempt.commission)
        add(attempt.charge)
        // Nothing saved, nothing written off.
        add(0 as Int64)
        add(0 as Int64)
    }

    /// What there is to say where no provider was asked.
    mutating func addNoAttempt(
        at moment: Timestamp, outcome: String, cache: String?, saved: Int64 = 0, writtenOff: Int64 = 0
    ) {
        add(false)
        add(moment.microseconds)
        add(0 as Int64)
        add(nil as Int64?)
        add(outcome)
        add(nil as String?)
        add(cache)
        add(false)
        for _ in 0..<11 { add(0 as Int64) }
        add(nil as Int64?)
        for amount in [0, 0, 0, saved, writtenOff] { add(amount) }
    }

    mutating func addEnd(_ event: UsageEvent, isLast: Bool, override: UUID?) {
        add(event.isPrepaid)
        add(array: isLast ? event.charges : []) { charge, bytes in charge.limit.append(to: &bytes) }
        add(array: isLast ? event.charges : []) { charge, bytes in
            bytes.append(decimal: Int(charge.nanodollars))
        }
        add(isLast ? event.wouldRefuse : nil)
        if let tags = event.tags { add(text: tags) } else { add(nil as String?) }
        add(array: isLast ? event.grants : []) { grant, bytes in grant.append(to: &bytes) }
        add(override)
        end()
    }

    private static func microseconds(_ duration: Duration) -> Int64 { max(0, duration.nanoseconds / 1000) }
}
