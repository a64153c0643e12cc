package import Base
package import Identity
import JSON
import Postgres
import Stripe

/// Wallets that are filled by themselves.
extension StripeBilling {
    /// Wallets that are filled in a round.
    private static let mostWallets = 100

    package func autoTopUp(of organization: UUID) async throws -> AutoTopUp? {
        try await store.pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT threshold_nano, cents, monthly_cents, failures, next_attempt_at FROM auto_top_ups
                WHERE org_id = \(organization)
                """
            ).first?.decode((Int64, Int64, Int64, Int32, Timestamp).self)
        }.map { threshold, cents, monthly, failures, next in
            var found = AutoTopUp(threshold: threshold, cents: cents, monthlyCents: monthly)
            found.failures = Int(failures)
            found.nextAttemptAt = next
            return found
        }
    }

    package func setAutoTopUp(
        _ wish: AutoTopUp?, of organization: UUID, by actor: Actor
    ) async throws {
        if let faults = wish?.faults, !faults.isEmpty {
            throw Problem(faults: faults, code: "invalid_auto_top_up")
        }
        let now = now
        var detail = JSONWriter()
        detail.object { json in
            json.field("threshold_nano", wish.map { String($0.threshold) })
            json.field("cents", wish.map { Int($0.cents) })
            json.field("monthly_cents", wish.map { Int($0.monthlyCents) })
        }
        let told = detail.bytes
        try await store.system { transaction in
            if let wish {
                try await transaction.execute(
                    """
                    INSERT INTO auto_top_ups (org_id, threshold_nano, cents, monthly_cents, next_attempt_at)
                    VALUES (\(organization), \(wish.threshold), \(wish.cents), \(wish.monthlyCents), \(now))
                    ON CONFLICT (org_id) DO UPDATE SET (threshold_nano, cents, monthly_cents, failures, next_attempt_at)
                        = (EXCLUDED.threshold_nano, EXCLUDED.cents, EXCLUDED.monthly_cents, 0, EXCLUDED.next_attempt_at)
                    """)
            } else {
                try await transaction.execute("DELETE FROM auto_top_ups WHERE org_id = \(organization)")
            }
            try await store.identity.note(
                "auto_top_up.set", on: "organization", organization, after: told, in: organization, by: actor,
                transaction)
        }
    }

    /// Charges those whose wallet has too little. Says what went wrong, of whose.
    package func fillWallets() async throws -> [(organization: UUID, error: any Error)] {
        var failures: [(organization: UUID, error: any Error)] = []
        for (organization, cents) in try await lowWallets() {
            do {
                try await fill(organization, cents)
            } catch {
                try Task.checkCancellation()
                failures.append((organization, error))
            }
        }
        return failures
    }

    /// Those that have less than they should, may be charged once more this month, and are not being charged.
    private func lowWallets() async throws -> [(UUID, Int64)] {
        let now = now
        return try await store.system(readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT wish.org_id, wish.cents FROM auto_top_ups AS wish
                JOIN organizations ON organizations.id = wish.org_id AND deleted_at IS NULL
                LEFT JOIN money_limits AS wallet ON wallet.org_id = wish.org_id AND wallet.kind = 'wallet'
                    AND wallet.subject = 'organization'
                WHERE next_attempt_at <= \(now)
                    AND coalesce(cap_nano - settled_nano, 0) < threshold_nano
                    AND NOT EXISTS (SELECT FROM stripe_payments AS payment WHERE payment.org_id = wish.org_id
                        AND payment.kind = 'auto_top_up' AND payment.ended_at IS NULL)
                    AND (SELECT coalesce(sum(payment.cents), 0) FROM stripe_payments AS payment
                        WHERE payment.org_id = wish.org_id AND payment.kind = 'auto_top_up' AND status = 'succeeded'
                            AND created_at >= date_trunc('month', \(now)::timestamptz, 'UTC'))
                        + wish.cents <= monthly_cents
                ORDER BY next_attempt_at, wish.org_id LIMIT \(Self.mostWallets)
                """
            ).decode((UUID, Int64).self)
        }
    }

    private func fill(_ organization: UUID, _ cents: Int64) async throws {
        var payment = StripePayment(.autoTopUp, of: organization, cents: cents, at: now)
        do {
            guard let method = try await defaultMethod(of: organization) else {
                throw Problem.noPaymentMethod
            }
            payment.method = method
            try await write(payment, by: .system)
        } catch let error as PostgresError {
            // Another process charges already.
            if case .uniqueViolation(constraint: "stripe_payments_automatic") = error.kind { return }
            throw error
        } catch let problem as Problem {
            try await postpone(organization, cents)
            throw problem
        }
        do {
            try await charge(payment)
        } catch let error as StripeError {
            // Where nobody knows, it is asked again with the same key.
            guard try await self.payment(payment.id).status == .failed else { throw error }
            try await postpone(organization, cents)
            throw error
        }
        if try await self.payment(payment.id).status == .succeeded {
            try await store.system { transaction in
                try await transaction.execute(
                    "UPDATE auto_top_ups SET failures = 0 WHERE org_id = \(organization)")
            }
        }
    }

    /// Waits longer each time, and says so.
    private func postpone(_ organization: UUID, _ cents: Int64) async throws {
        let now = now
        try await store.system { transaction in
            let failures = try await transaction.query(
                "UPDATE auto_top_ups SET failures = failures + 1 WHERE org_id = \(organization) RETURNING failures"
            ).first?.decode(Int32.self)
            guard let failures else { return }
            try await transaction.execute(
                """
                UPDATE auto_top_ups SET next_attempt_at = \(now + AutoTopUp.pause(after: failures))
                WHERE org_id = \(organization)
                """)
            try await store.identity.tellOwners(of: organization, .topUpFailed(cents), transaction)
        }
    }
}
