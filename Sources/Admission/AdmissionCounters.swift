package import Base

/// What a process has decided, for Prometheus. One for all loops.
package final class AdmissionCounters: Sendable {
    private let admitted: Counter
    private let refused: Counter
    private let admittedAlone: Counter
    private let refusedAlone: Counter
    private let unfunded: Counter
    private let holds: Counter
    private let holdsUnderway: Locked<Int>
    private let breaches: Counter
    private let fundings: Counter
    private let directFundings: Counter
    /// Loops that decide by themselves.
    private let alone: Locked<Int>

    package init(in metrics: Metrics) {
        func counter(_ outcome: String) -> Counter {
            metrics.counter(
                "hivegate_admissions_total",
                "Requests that asked to be let in, by what became of it; local: decided without Redis.",
                ["outcome": outcome])
        }
        admitted = counter("admitted")
        refused = counter("refused")
        admittedAlone = counter("local")
        refusedAlone = counter("local_refused")
        unfunded = counter("unfunded")
        holds = metrics.counter("hivegate_holds_total", "Requests for which money was held.")
        let underway = Locked(0)
        metrics.gauge("hivegate_holds_underway", "Requests under way for which money is held.") {
            Double(underway.withLock { $0 })
        }
        holdsUnderway = underway
        breaches = metrics.counter(
            "hivegate_hold_breaches_total", "Requests that cost more than was held for them.")
        fundings = metrics.counter(
            "hivegate_fundings_total", "Grants of money that the database has given to Redis.")
        directFundings = metrics.counter(
            "hivegate_direct_fundings_total",
            "Grants of money that the database has given to single requests, without Redis.")
        let alone = Locked(0)
        metrics.gauge("hivegate_redis_degraded", "1 while a loop decides without Redis who may go on.") {
            alone.withLock { $0 > 0 ? 1 : 0 }
        }
        self.alone = alone
    }

    func count(_ verdict: Gatekeeper.Verdict, isLocal: Bool) {
        switch verdict {
        case .admitted: (isLocal ? admittedAlone : admitted).add()
        case .refused: (isLocal ? refusedAlone : refused).add()
        case .unfunded: unfunded.add()
        case .outdated: break
        }
    }

    func hold() {
        holds.add()
        holdsUnderway.withLock { $0 += 1 }
    }

    func endHold() { holdsUnderway.withLock { $0 = max(0, $0 - 1) } }
    func breach() { breaches.add() }
    func fund(_ count: Int) { fundings.add(count) }
    func fundDirectly(_ count: Int) { directFundings.add(count) }

    func becameAlone(_ isAlone: Bool) { alone.withLock { $0 += isAlone ? 1 : -1 } }
}
