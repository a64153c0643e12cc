package import Base
package import Postgres

/// Requests that are done once, however often they come: each by its `Idempotency-Key`, in its organization, at its
/// endpoint.
package struct IdempotencyStore: Sendable {
    private let pool: PostgresPool
    private let time: TimeSource

    /// An answer is kept for so long; then the key is as good as new.
    package static let memory = Duration.seconds(24 * 3600)
    /// Whoever has not answered for so long has died over it, and the next does it.
    package static let patience = Duration.seconds(120)
    package static let longestKey = 255
    /// A longer answer is not kept.
    package static let longestAnswer = 1 << 20

    package init(_ pool: PostgresPool, time: TimeSource = .live) {
        self.pool = pool
        self.time = time
    }

    package struct Answer: Equatable, Sendable {
        package var status: Int
        package var body: [UInt8]

        package init(status: Int, body: [UInt8]) {
            self.status = status
            self.body = body
        }
    }

    /// What is to be done with a request.
    package enum Claim: Equatable, Sendable {
        /// It is new: whoever asked does it, and says how it ended with this.
        case proceed(Attempt)
        /// It was done: this is how it was answered.
        case replay(Answer)
    }

    package struct Attempt: Equatable, Sendable {
        let organization: UUID
        let endpoint: String
        let key: String
        let id: UUID
    }

    /// Throws where the key was used for another body, or its request is being done at this moment.
    package func claim(
        _ key: String, at endpoint: String, of organization: UUID, body: [UInt8]
    ) async throws -> Claim {
        guard (1...Self.longestKey).contains(key.utf8.count), key.utf8.allSatisfy({ 0x21...0x7E ~= $0 })
        else {
            throw Problem(
                .invalidRequest, code: "invalid_idempotency_key",
                "An Idempotency-Key has 1 to \(Self.longestKey) visible characters of ASCII, and no space.",
                field: "Idempotency-Key")
        }
        let now = time.timestamp()
        let attempt = Attempt(organization: organization, endpoint: endpoint, key: key, id: .make(at: now))
        let fingerprint = Digest.sha256(body)
        return try await pool.transaction(tenant: organization) { transaction in
            // A row that is there already is locked by this, so that it is as it is until we have looked.
            let isNew = try await transaction.query(
                """
                INSERT INTO idempotency_keys AS kept (org_id, endpoint, key, fingerprint, attempt, begun_at)
                VALUES (\(organization), \(endpoint), \(key), \(fingerprint), \(attempt.id), \(now))
                ON CONFLICT (org_id, endpoint, key) DO UPDATE SET fingerprint = EXCLUDED.fingerprint,
                    attempt = EXCLUDED.attempt, begun_at = EXCLUDED.begun_at, status = NULL, answer = NULL
                WHERE kept.begun_at < \(now + (.zero - Self.memory))
                    OR kept.status IS NULL AND kept.begun_at < \(now + (.zero - Self.patience))
                        AND kept.fingerprint = EXCLUDED.fingerprint
                RETURNING true
                """)
            if !isNew.isEmpty { return .proceed(attempt) }
            let (former, status, answer) = try await transaction.query(
                """
                SELECT fingerprint, status, answer FROM idempotency_keys
                WHERE org_id = \(organization) AND endpoint = \(endpoint) AND key = \(key)
                """)[0].decode(([UInt8], Int16?, [UInt8]?).self)
            guard former == fingerprint else { throw Self.otherBody }
            guard let status, let answer else { throw Self.inProgress }
            return .replay(Answer(status: Int(status), body: answer))
        }
    }

    /// Says how it ended. Where another has taken over meanwhile, theirs holds.
    package func finish(_ attempt: Attempt, with answer: Answer) async throws {
        guard answer.body.count <= Self.longestAnswer else { return try await abandon(attempt) }
        try await pool.transaction(tenant: attempt.organization) { transaction in
            _ = try await transaction.execute(
                """
                UPDATE idempotency_keys SET status = \(Int16(answer.status)), answer = \(answer.body)
                WHERE org_id = \(attempt.organization) AND endpoint = \(attempt.endpoint)
                    AND key = \(attempt.key) AND attempt = \(attempt.id)
                """)
        }
    }

    /// Nothing was done, so that it may be tried again at once.
    package func abandon(_ attempt: Attempt) async throws {
        try await pool.transaction(tenant: attempt.organization) { transaction in
            _ = try await transaction.execute(
                """
                DELETE FROM idempotency_keys
                WHERE org_id = \(attempt.organization) AND endpoint = \(attempt.endpoint)
                    AND key = \(attempt.key) AND attempt = \(attempt.id)
                """)
        }
    }

    private static let otherBody = Problem(
        .unprocessable, code: "idempotency_key_reused",
        "This Idempotency-Key was used with another body. Use a new one for another request.",
        field: "Idempotency-Key")

    private static let inProgress = Problem(
        .conflict, code: "idempotency_key_in_progress",
        "A request with this Idempotency-Key is being worked on. Ask again in a moment.",
        field: "Idempotency-Key", retryAfterSeconds: 1)
}
