package import Base

/// What is paid for at once: from `start` up to `end`, in whole seconds.
package struct BillingPeriod: Hashable, Sendable {
    package var start: Timestamp
    package var end: Timestamp

    package init(start: Timestamp, end: Timestamp) {
        precondition(start < end, "a period has a length")
        self.start = start
        self.end = end
    }

    package var seconds: Int64 { end.seconds - start.seconds }

    package func contains(_ moment: Timestamp) -> Bool { start <= moment && moment < end }
}
