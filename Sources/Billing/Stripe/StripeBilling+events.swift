import Base
import Postgres
import Stripe

/// What Stripe tells: written down when it comes, looked at afterwards, each object by one process at a time.
extension StripeBilling {
    /// Objects that are looked at in a round.
    static let mostObjects = 100
    /// How often it is tried to look at what an event is about: for some 14 hours.
    static let mostAttempts = 20
    /// So long it is known that an event came.
    static let eventMemory = Duration.seconds(60 * 86_400)

    static func pause(after attempts: Int32) -> Duration { .seconds(min(3600, 5 << min(Int(attempts), 10))) }

    /// Takes a webhook as it came. What is not Stripe's changes nothing.
    package func take(_ body: [UInt8], signature: String?) async throws {
        do {
            try StripeSignature.verify(signature, of: body, with: webhookSecrets, at: now)
        } catch {
            counters.count(.refused)
            throw Problem(
                .invalidRequest, code: "invalid_signature", "This is not Stripe's: \(error.reason).")
        }
        let event: StripeEvent
        do throws(StripeFault) {
            event = try StripeEvent(parsing: body)
        } catch {
            counters.count(.refused)
            throw Problem(.invalidRequest, code: "invalid_event", "This event cannot be read: \(error).")
        }
        try await write([event])
    }

    /// Each once.
    func write(_ events: [StripeEvent]) async throws {
        let now = now
        for event in events {
            let subject = Subject(event)
            let isNew = try await store.system { transaction in
                try await transaction.execute(
                    """
                    INSERT INTO stripe_events (id, type, object_type, object_id, created_at, received_at, handled_at,
                        outcome, next_attempt_at)
                    VALUES (\(event.id), \(String(event.type.prefix(255))), \(subject?.kind.rawValue), \(subject?.id),
                        \(event.created), \(now), \(subject == nil ? now : nil), \(subject == nil ? "unknown" : nil), \(now))
                    ON CONFLICT (id) DO NOTHING
                    """)
            }
            counters.count(isNew == 1 ? .received : .repeated)
            if isNew == 1, subject == nil { counters.count(.unknown) }
        }
    }

    /// What an event is about, where that is of use to us.
    struct Subject: Equatable {
        var kind: Kind
        var id: String

        enum Kind: String, Sendable {
            case subscription, invoice, charge, dispute
            case paymentIntent = "payment_intent"
        }

        init(_ kind: Kind, _ id: String) {
            self.kind = kind
            self.id = id
        }

        init?(_ event: StripeEvent) {
            let known = [
                "customer.subscription.", "invoice.", "payment_intent.", "charge.refunded", "charge.dispute.",
            ]
            guard known.contains(where: event.type.hasPrefix), let kind = Kind(rawValue: event.objectType),
                let id = event.objectID
            else { return nil }
            self.init(kind, id)
        }
    }

    // MARK: Looking at it

    /// Looks at what events that are due are about.
    package func handleEvents() async throws {
        let now = now
        let (due, oldest) = try await store.system(readOnly: true) { transaction in
            let due = try await transaction.query(
                """
                SELECT object_type, object_id FROM stripe_events
                WHERE handled_at IS NULL AND next_attempt_at <= \(now)
                GROUP BY object_type, object_id ORDER BY min(next_attempt_at) LIMIT \(Self.mostObjects)
                """
            ).decode((String, String).self)
            let oldest = try await transaction.query(
                "SELECT min(received_at) FROM stripe_events WHERE handled_at IS NULL")[0].decode(
                    Timestamp?.self)
            return (due, oldest)
        }
        counters.oldestEvent.withLock { $0 = oldest }
        for (kind, id) in due {
            guard let kind = Subject.Kind(rawValue: kind) else { continue }
            try await handle(Subject(kind, id))
        }
    }

    /// Does so while no other process does.
    private func handle(_ subject: Subject) async throws {
        try await store.pool.withConnection { connection in
            let name = "hivegate stripe \(subject.id)"
            let isAlone = try await connection.query(
                "SELECT pg_try_advisory_lock(hashtextextended(\(name), 0))")[0].decode(Bool.self)
            guard isAlone else { return }
            do {
                try await handleAlone(subject)
                _ = try await connection.query("SELECT pg_advisory_unlock(hashtextextended(\(name), 0))")
            } catch {
                // With the connection its lock goes.
                connection.discardAfterUse()
                throw error
            }
        }
    }

    private func handleAlone(_ subject: Subject) async throws {
        // All that has come up to now is answered by what Stripe says from now on.
        let events = try await store.system(readOnly: true) { transaction in
            try await transaction.query(
                "SELECT id FROM stripe_events WHERE object_id = \(subject.id) AND handled_at IS NULL"
            ).decode(String.self)
        }
        if events.isEmpty { return }
        let outcome: StripeCounters.EventOutcome
        do {
            outcome = try await apply(subject)
        } catch {
            try Task.checkCancellation()
            return try await postpone(events, because: error)
        }
        let now = now
        try await store.system { transaction in
            try await transaction.execute(
                """
                UPDATE stripe_events SET handled_at = \(now), outcome = \(outcome.rawValue), error = NULL
                WHERE id = ANY(\(events)) AND handled_at IS NULL
                """)
        }
        for _ in events { counters.count(outcome) }
    }

    private func postpone(_ events: [String], because error: any Error) async throws {
        counters.count(.postponed)
        let now = now
        let reason = String("\(error)".prefix(500))
        let givenUp = try await store.system { transaction in
            let attempts = try await transaction.query(
                """
                UPDATE stripe_events SET attempts = attempts + 1, error = \(reason) WHERE id = ANY(\(events))
                RETURNING id, attempts
                """
            ).decode((String, Int32).self)
            for (id, count) in attempts {
                let isLast = count >= Self.mostAttempts
                try await transaction.execute(
                    """
                    UPDATE stripe_events SET next_attempt_at = \(now + Self.pause(after: count)),
                        handled_at = \(isLast ? now : nil), outcome = \(isLast ? "given_up" : nil)
                    WHERE id = \(id)
                    """)
            }
            return attempts.count { $0.1 >= Self.mostAttempts }
        }
        for _ in 0..<givenUp { counters.count(.givenUp) }
    }

    /// Fetches the object, and takes what has become of it.
    private func apply(_ subject: Subject) async throws -> StripeCounters.EventOutcome {
        do {
            switch subject.kind {
            case .subscription: return try await follow(subject.id)
            case .invoice: return try await mirror(subject.id)
            case .paymentIntent: return try await settle(try await stripe.paymentIntent(subject.id))
            case .charge: return try await reverse(charge: subject.id)
            case .dispute: return try await reverse(dispute: subject.id)
            }
        } catch let error as StripeError {
            // What is gone was nothing that we know.
            guard error.kind == .notFound else { throw error }
            return .foreign
        }
    }
}
