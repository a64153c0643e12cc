import Base
import Postgres
import Stripe

/// What a webhook that was lost would have told is asked for, every hour.
extension StripeBilling {
    /// Before the last reading: what was on its way then.
    private static let readingOverlap = Duration.seconds(600)
    /// Stripe keeps events for 30 days.
    private static let longestReading = Duration.seconds(30 * 86_400)
    /// In a reading; the next goes on.
    private static let mostPages = 50
    private static let mostPayments = 1000

    /// What a reconciliation has come to.
    package struct Reconciliation: Sendable {
        package var failures: [any Error] = []
    }

    /// Asks again for what nobody has answered, and how everything stands that may have changed. One thing that fails holds
    /// up no other.
    package func reconcile() async throws -> Reconciliation {
        var result = Reconciliation()
        func attempt(_ body: () async throws -> Void) async throws {
            do {
                try await body()
            } catch {
                try Task.checkCancellation()
                result.failures.append(error)
            }
        }
        for beginning in try await openBeginnings() {
            try await attempt {
                if beginning.begunAt + Self.patience < now { return try await end(beginning) }
                _ = try await begin(beginning)
            }
        }
        for payment in try await openPayments() {
            try await attempt { try await reconcile(payment) }
        }
        for id in try await openSubscriptions() {
            try await attempt { _ = try await follow(id) }
        }
        try await attempt { try await readEvents() }
        if let meter { try await attempt { result.failures += try await report(to: meter) } }
        try await forgetEvents()
        return result
    }

    private func openBeginnings() async throws -> [StripeBeginning] {
        try await store.system(readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT \(StripeBeginning.columns) FROM stripe_beginnings WHERE ended_at IS NULL
                ORDER BY begun_at LIMIT \(Self.mostPayments)
                """
            ).decode { row throws(PostgresError) in try StripeBeginning(row) }
        }
    }

    private func openPayments() async throws -> [StripePayment] {
        try await store.system(readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT \(StripePayment.columns) FROM stripe_payments WHERE ended_at IS NULL
                ORDER BY created_at LIMIT \(Self.mostPayments)
                """
            ).decode { row throws(PostgresError) in try StripePayment(row) }
        }
    }

    private func openSubscriptions() async throws -> [String] {
        try await store.system(readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT stripe_id FROM subscriptions WHERE stripe_id IS NOT NULL AND ended_at IS NULL
                ORDER BY stripe_seen_at LIMIT \(Self.mostPayments)
                """
            ).decode(String.self)
        }
    }

    /// One that nobody finishes is called off.
    func reconcile(_ payment: StripePayment) async throws {
        let isLate = payment.createdAt + Self.patience < now
        guard let id = payment.stripeID else {
            // Its key is forgotten by then: asking again would make another.
            if isLate { return try await fail(payment, "no answer") }
            return try await charge(payment)
        }
        let intent = try await stripe.paymentIntent(id)
        let isUnfinished = intent.status != .succeeded && intent.status != .processing
        let told =
            isLate && isUnfinished && intent.status != .canceled
            ? try await stripe.cancelPaymentIntent(id, key: "cancel-\(payment.id)") : intent
        _ = try await settle(told)
    }

    /// Asks for the intent, which for an automatic one is to charge. A decline ends it.
    func charge(_ payment: StripePayment) async throws {
        do {
            _ = try await settle(try await request(payment))
        } catch let error as StripeError {
            // Whatever else goes wrong may go right the next time.
            guard error.kind == .card || error.kind == .refused || error.kind == .notFound else {
                throw error
            }
            // Nobody is to finish what was said to have failed.
            if let intent = error.paymentIntent {
                _ = try? await stripe.cancelPaymentIntent(intent, key: "cancel-\(payment.id)")
            }
            try await fail(payment, error.declineCode ?? error.code ?? error.kind.rawValue)
            throw error
        }
    }

    private func fail(_ payment: StripePayment, _ reason: String) async throws {
        var failed = payment
        failed.status = .failed
        failed.failure = reason
        try await end(failed, nil)
    }

    /// Reads what has happened since the last reading, of which nobody may have told us.
    private func readEvents() async throws {
        let begun = now
        let last = try await store.system(readOnly: true) { transaction in
            try await transaction.query("SELECT read_at FROM stripe_readings").first?.decode(Timestamp.self)
        }
        let earliest = begun + (.zero - Self.longestReading)
        let since = max(earliest, (last ?? begun) + (.zero - Self.readingOverlap))
        var page = StripePage()
        for _ in 0..<Self.mostPages {
            let list = try await stripe.events(since: since, page)
            try await write(list.elements)
            guard list.hasMore, let last = list.elements.last else { break }
            page.after = last.id
        }
        try await store.system { transaction in
            try await transaction.execute(
                """
                INSERT INTO stripe_readings (read_at) VALUES (\(begun))
                ON CONFLICT (only_one) DO UPDATE SET read_at = EXCLUDED.read_at
                """)
        }
    }

    private func forgetEvents() async throws {
        let past = now + (.zero - Self.eventMemory)
        try await store.system { transaction in
            try await transaction.execute(
                "DELETE FROM stripe_events WHERE received_at < \(past) AND handled_at IS NOT NULL")
        }
    }
}
