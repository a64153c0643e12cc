import Admission
package import Base
package import Identity
import JSON
import Postgres

extension BudgetStore {
    /// How a budget stands. Whoever changed it announces `keyChange` before they answer.
    package struct Change: Sendable {
        package var standing: Standing
        package var keyChange: KeyChange
        /// Of a new webhook: nobody is told it again.
        package var webhookSecret: Secret?
        /// Windows in which less may be spent than before: gateways still have what they were given of more.
        package var lowered: [UUID] = []
    }

    /// Makes a budget that holds from the next request on. What was used since its window began counts.
    package func create(
        _ new: NewBudget, of organization: UUID, by actor: Actor
    ) async throws -> Change {
        try await full {
            try await pool.transaction(tenant: organization) { transaction in
                try await create(new, of: organization, by: actor, transaction)
            }
        }
    }

    func create(
        _ new: NewBudget, of organization: UUID, by actor: Actor, _ transaction: PostgresTransaction
    ) async throws -> Change {
        let now = time.timestamp()
        let secret = new.webhookURL.map { _ in Self.makeSecret() }
        let budget = Budget(
            id: UUID.make(at: now), organization: organization, name: new.name, subject: new.subject,
            period: new.period, nanodollars: new.nanodollars, isSoft: new.isSoft,
            thresholds: new.thresholds.sorted(), emails: new.emails, webhookURL: new.webhookURL,
            creator: actor.user, createdAt: now)
        try await refuseUnknown(new.subject, of: organization, transaction)
        // Counted before anything is locked: it may take a while.
        let windows = try await lackingWindows(of: budget, behind: nil, at: now, transaction)
        // One at a time.
        _ = try await transaction.query(
            "SELECT FROM organizations WHERE id = \(organization) FOR NO KEY UPDATE")
        let count = try await transaction.query(
            "SELECT count(*) FROM budgets WHERE org_id = \(organization) AND archived_at IS NULL"
        )[0].decode(Int64.self)
        guard count < Self.mostBudgets else { throw Problem.tooManyBudgets }
        let sealed = secret.map { identity.sealWebhookSecret($0, of: budget.id, in: organization) }
        try await transaction.execute(
            """
            INSERT INTO budgets (id, org_id, name, subject, period, amount_nano, is_soft, thresholds, alert_emails,
                webhook_url, sealed, wrapped_key, master_version, created_by, created_at)
            VALUES (\(budget.id), \(organization), \(budget.name), \(budget.subject.text), \(budget.period),
                \(budget.nanodollars), \(budget.isSoft), \(budget.thresholds.map(Int64.init)), \(budget.emails),
                \(budget.webhookURL), \(sealed?.sealed), \(sealed?.wrappedKey), \(sealed?.masterVersion),
                \(budget.creator), \(now))
            """)
        try await insert(windows, of: budget, transaction)
        return try await done("budget.create", budget, secret, by: actor, transaction)
    }

    package func change(
        _ id: UUID, of organization: UUID, _ patch: BudgetPatch, by actor: Actor
    ) async throws -> Change {
        try await pool.transaction(tenant: organization) { transaction in
            var budget = try await claim(id, of: organization, transaction)
            var secret: Secret?
            if case .some(let url) = patch.webhookURL, url != budget.webhookURL {
                secret = url.map { _ in Self.makeSecret() }
                let sealed = secret.map { identity.sealWebhookSecret($0, of: id, in: organization) }
                try await transaction.execute(
                    """
                    UPDATE budgets SET webhook_url = \(url), sealed = \(sealed?.sealed),
                        wrapped_key = \(sealed?.wrappedKey), master_version = \(sealed?.masterVersion)
                    WHERE id = \(id)
                    """)
            }
            budget.name = patch.name ?? budget.name
            budget.nanodollars = patch.nanodollars ?? budget.nanodollars
            budget.isSoft = patch.isSoft ?? budget.isSoft
            budget.thresholds = patch.thresholds?.sorted() ?? budget.thresholds
            budget.emails = patch.emails ?? budget.emails
            try await transaction.execute(
                """
                UPDATE budgets SET name = \(budget.name), amount_nano = \(budget.nanodollars),
                    is_soft = \(budget.isSoft), thresholds = \(budget.thresholds.map(Int64.init)),
                    alert_emails = \(budget.emails)
                WHERE id = \(id)
                """)
            let lowered = try await write(budget, transaction)
            return try await done(
                "budget.change", budget, secret, lowered: lowered, by: actor, transaction)
        }
    }

    /// Another amount for a while; nil ends it.
    package func setOverride(
        _ id: UUID, of organization: UUID, _ override: Budget.Override?, by actor: Actor
    ) async throws -> Change {
        if let override, override.until <= time.timestamp() {
            throw Problem.budget([.init("until", "must lie ahead")])
        }
        return try await pool.transaction(tenant: organization) { transaction in
            var budget = try await claim(id, of: organization, transaction)
            budget.override = override
            let lowered = try await writeOverride(of: budget, transaction)
            return try await done(
                "budget.override", budget, nil, lowered: lowered, by: actor, transaction)
        }
    }

    func writeOverride(of budget: Budget, _ transaction: PostgresTransaction) async throws -> [UUID] {
        try await transaction.execute(
            """
            UPDATE budgets SET override_nano = \(budget.override?.nanodollars),
                override_until = \(budget.override?.until)
            WHERE id = \(budget.id)
            """)
        return try await write(budget, transaction)
    }

    /// Ends a budget: its window ends now, and the past stays.
    package func archive(_ id: UUID, of organization: UUID, by actor: Actor) async throws -> KeyChange {
        let now = time.timestamp()
        return try await pool.transaction(tenant: organization) { transaction in
            let budget = try await claim(id, of: organization, transaction)
            try await transaction.execute("UPDATE budgets SET archived_at = \(now) WHERE id = \(id)")
            try await lockWindows(of: budget, at: now, transaction)
            try await transaction.execute(
                """
                DELETE FROM money_limits WHERE org_id = \(organization) AND budget_id = \(id)
                    AND window_start >= \(now) AND settled_nano = 0
                    AND NOT EXISTS (SELECT FROM money_grants WHERE limit_id = money_limits.id)
                """)
            // One that has no beginning gets one.
            try await transaction.execute(
                """
                UPDATE money_limits SET window_end = \(now), recount_at = NULL,
                    window_start = coalesce(window_start,
                        least(created_at, \(now)::timestamptz - interval '1 microsecond'))
                WHERE org_id = \(organization) AND budget_id = \(id)
                    AND (window_start IS NULL OR window_start < \(now) AND window_end > \(now))
                """)
            return try await done("budget.delete", budget, nil, by: actor, transaction).keyChange
        }
    }

    /// Sets the monthly budget of the organization as a whole, the oldest where it has several, or makes it.
    package func setMonthly(
        of organization: UUID, nanodollars: Int64, by actor: Actor
    ) async throws -> Change {
        let known = try await budgets(of: organization).first {
            $0.budget.subject == .organization && $0.budget.period == .month
        }
        if let known {
            return try await change(
                known.budget.id, of: organization, BudgetPatch { $0.nanodollars = nanodollars }, by: actor)
        }
        return try await create(
            NewBudget("Monthly budget", each: .month, nanodollars: nanodollars), of: organization, by: actor)
    }

    // MARK: Inside

    /// Writes what a budget says into its windows; says in which of them less may be spent than before.
    private func write(_ budget: Budget, _ transaction: PostgresTransaction) async throws -> [UUID] {
        let now = time.timestamp()
        try await lockWindows(of: budget, at: now, transaction)
        return try await transaction.query(
            """
            WITH before AS (
                SELECT id, cap_nano FROM money_limits
                WHERE org_id = \(budget.organization) AND budget_id = \(budget.id)
                    AND (window_end IS NULL OR window_end > \(now))
            ), written AS (
                UPDATE money_limits SET is_soft = \(budget.isSoft),
                    cap_nano = CASE WHEN \(budget.override?.until)::timestamptz > greatest(\(now), window_start)
                        THEN \(budget.override?.nanodollars)::bigint ELSE \(budget.nanodollars) END
                FROM before WHERE money_limits.id = before.id
                RETURNING money_limits.id, money_limits.cap_nano < before.cap_nano AS is_lowered
            )
            SELECT id FROM written WHERE is_lowered
            """
        ).decode(UUID.self)
    }

    /// In the order of their ids, as whoever books use does.
    private func lockWindows(
        of budget: Budget, at now: Timestamp, _ transaction: PostgresTransaction
    ) async throws {
        _ = try await transaction.query(
            """
            SELECT FROM money_limits WHERE org_id = \(budget.organization) AND budget_id = \(budget.id)
                AND (window_end IS NULL OR window_end > \(now)) ORDER BY id FOR UPDATE
            """)
    }

    private func refuseUnknown(
        _ subject: LimitSubject, of organization: UUID, _ transaction: PostgresTransaction
    ) async throws {
        let table: SQL
        switch subject {
        case .user(let user):
            table = "memberships WHERE org_id = \(organization) AND user_id = \(user)"
        case .key(let key): table = "api_keys WHERE org_id = \(organization) AND id = \(key)"
        default: return
        }
        let isKnown = try await transaction.query("SELECT EXISTS (SELECT FROM \(table))")[0].decode(Bool.self)
        if !isKnown { throw Problem.budget([.init("subject", "must be one of the organization's own")]) }
    }

    private func done(
        _ action: String, _ budget: Budget, _ secret: Secret?, lowered: [UUID] = [], by actor: Actor,
        _ transaction: PostgresTransaction
    ) async throws -> Change {
        try await identity.note(
            action, on: "budget", budget.id, after: budget.description, in: budget.organization, by: actor,
            transaction)
        let standing = try await standing(of: budget.id, in: budget.organization, transaction)
        return Change(
            standing: standing,
            keyChange: try await identity.raiseKeyGeneration(of: budget.organization, transaction),
            webhookSecret: secret, lowered: lowered)
    }

    /// What is said where the database takes no more limits.
    private func full(_ body: () async throws -> Change) async throws -> Change {
        do { return try await body() } catch let error as PostgresError where error.sqlState == "HG003" {
            throw Problem.limitsFull
        }
    }

    private static func makeSecret() -> Secret { Secret("whsec_\(Random.base62(40))") }
}

extension Budget {
    /// For the audit trail.
    fileprivate var description: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("name", name)
            json.field("subject", subject.text)
            json.field("period", period.rawValue)
            json.field("nanodollars", String(nanodollars))
            json.field("soft", isSoft)
            json.array("thresholds") { json in for threshold in thresholds { json.value(threshold) } }
            json.field("webhook_url", webhookURL)
            json.field("override", override.map { String($0.nanodollars) })
            json.field("override_until", override?.until.description)
        }
        return json.bytes
    }
}
