package import Base

/// What is counted of Stripe.
package struct StripeCounters: Sendable {
    let payments: [PaymentOutcome: Counter]
    let events: [EventOutcome: Counter]
    /// When the oldest event came that waits; nil: none does.
    let oldestEvent = Locked<Timestamp?>(nil)

    enum PaymentOutcome: String, CaseIterable { case succeeded, failed, canceled, refunded, disputed }

    enum EventOutcome: String, CaseIterable {
        case received, repeated, refused
        /// What they are about was looked at.
        case applied
        /// They are about nothing of ours.
        case foreign, unknown
        /// It is tried again.
        case postponed
        case givenUp = "given_up"
    }

    package init(in metrics: Metrics) {
        payments = Dictionary(
            uniqueKeysWithValues: PaymentOutcome.allCases.map {
                let help = "Payments by Stripe, by what became of them."
                return ($0, metrics.counter("hivegate_stripe_payments_total", help, ["outcome": $0.rawValue]))
            })
        events = Dictionary(
            uniqueKeysWithValues: EventOutcome.allCases.map {
                let help = "What Stripe has told, by what became of it."
                return ($0, metrics.counter("hivegate_stripe_events_total", help, ["outcome": $0.rawValue]))
            })
        let oldest = oldestEvent
        metrics.gauge(
            "hivegate_stripe_oldest_event_seconds", "How long what Stripe has told waits to be looked at."
        ) { oldest.withLock { $0 }.map { Double(max(0, Timestamp.now().seconds - $0.seconds)) } ?? 0 }
    }

    func count(_ outcome: PaymentOutcome) { payments[outcome]?.add() }
    func count(_ outcome: EventOutcome) { events[outcome]?.add() }
}
