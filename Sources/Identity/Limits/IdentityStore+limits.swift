package import Base
import JSON
package import Postgres

/// What limits organizations, and what is kept of their answers.
extension IdentityStore {
    /// What limits an organization, as it was set up.
    package struct StoredLimits: Equatable, Sendable {
        /// nil: none.
        package var plan: String?
        /// The operator's; JSON, nil: none.
        package var overrides: [UInt8]?
        /// The organization's own.
        package var own: [UInt8]?
        package var timeZone: String
    }

    /// What is to become of it; nil leaves something as it is.
    package struct LimitsPatch: Sendable {
        package var plan: String??
        package var overrides: [UInt8]??
        package var own: [UInt8]??
        package var timeZone: String?

        package init() {}
    }

    // MARK: An organization's own

    package func limits(of organization: UUID) async throws -> StoredLimits {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await Self.limits(of: organization, transaction)
        }
    }

    /// The database lets nobody through who would change the plan or what lies over it this way.
    package func setLimits(
        of organization: UUID, _ patch: LimitsPatch, by actor: Actor
    ) async throws -> KeyChange {
        let patch = try await resolved(patch)
        return try await pool.transaction(tenant: organization) { transaction in
            try await change(organization, patch, "organization.limits", by: actor, transaction)
        }
    }

    /// On which terms an organization works here; nil where nobody has said anything.
    package func terms(of organization: UUID) async throws -> OrganizationTerms? {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            let rows = try await transaction.query(
                """
                SELECT \(OrganizationTerms.columns(keyNeedsMonths: false)) FROM organizations
                LEFT JOIN plans ON plans.name = plan WHERE id = \(organization)
                """)
            guard let row = rows.first else { throw Problem.notFound("organization") }
            return try OrganizationTerms.reading(try row.decode(OrganizationTerms.Columns.self))
        }
    }

    // MARK: For the operator

    package func limits(ofAny organization: UUID) async throws -> StoredLimits {
        try await pool.transaction(in: .system, readOnly: true) { transaction in
            try await Self.limits(of: organization, transaction)
        }
    }

    package func setLimits(
        ofAny organization: UUID, _ patch: LimitsPatch, by actor: Actor
    ) async throws -> KeyChange {
        let patch = try await resolved(patch)
        return try await pool.transaction(in: .system) { transaction in
            try await change(organization, patch, "organization.plan", by: actor, transaction)
        }
    }

    /// Gives an organization a plan in a transaction of the instance's, with whatever is the reason for it.
    package func givePlan(
        _ plan: String, to organization: UUID, by actor: Actor, _ transaction: PostgresTransaction
    ) async throws -> KeyChange {
        var patch = LimitsPatch()
        patch.plan = plan
        return try await change(organization, patch, "organization.plan", by: actor, transaction)
    }

    /// Changes something else that an operator gives an organization, and that processes remember with its keys. `after` is
    /// JSON.
    package func changeTerms(
        ofAny organization: UUID, _ action: String, after: String, by actor: Actor,
        _ change: (PostgresTransaction) async throws -> Void
    ) async throws -> KeyChange {
        try await pool.transaction(in: .system) { transaction in
            // One at a time.
            _ = try await Self.limits(of: organization, forUpdate: true, transaction)
            try await change(transaction)
            try await audit.record(
                AuditLog.Deed(action, "organization", organization, after: after), by: actor,
                in: organization, at: time.timestamp(), transaction)
            return try await raiseKeyGeneration(of: organization, transaction)
        }
    }

    // MARK: Cache

    /// JSON; nil: there is none.
    package func cachePolicy(of organization: UUID) async throws -> [UInt8]? {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await Self.cachePolicy(of: organization, transaction)
        }
    }

    /// Another policy; nil: none.
    package func setCachePolicy(
        of organization: UUID, to policy: [UInt8]?, by actor: Actor
    ) async throws -> KeyChange {
        try await pool.transaction(tenant: organization) { transaction in
            let before = try await Self.cachePolicy(of: organization, forUpdate: true, transaction)
            try await transaction.execute(
                """
                UPDATE organizations SET cache_policy = \(policy.map { PostgresJSON($0) })
                WHERE id = \(organization)
                """)
            try await audit.record(
                AuditLog.Deed(
                    "organization.cache", "organization", organization,
                    before: before.map { String(decoding: $0, as: UTF8.self) },
                    after: policy.map { String(decoding: $0, as: UTF8.self) }),
                by: actor, in: organization, at: time.timestamp(), transaction)
            return try await raiseKeyGeneration(of: organization, transaction)
        }
    }

    private static func cachePolicy(
        of organization: UUID, forUpdate: Bool = false, _ transaction: PostgresTransaction
    ) async throws -> [UInt8]? {
        let rows = try await transaction.query(
            """
            SELECT cache_policy FROM organizations WHERE id = \(organization)
            \(forUpdate ? "FOR UPDATE" : "" as SQL)
            """)
        guard let row = rows.first else { throw Problem.notFound("organization") }
        return try row.decode(PostgresJSON?.self, "cache_policy")?.bytes
    }

    // MARK: Inside

    private static func limits(
        of organization: UUID, forUpdate: Bool = false, _ transaction: PostgresTransaction
    ) async throws -> StoredLimits {
        let rows = try await transaction.query(
            """
            SELECT plan, limit_overrides, limits, time_zone FROM organizations WHERE id = \(organization)
            \(forUpdate ? "FOR UPDATE" : "" as SQL)
            """)
        guard let row = rows.first else { throw Problem.notFound("organization") }
        let (plan, overrides, own, timeZone) = try row.decode(
            (String?, PostgresJSON?, PostgresJSON?, String).self)
        return StoredLimits(plan: plan, overrides: overrides?.bytes, own: own?.bytes, timeZone: timeZone)
    }

    private func change(
        _ organization: UUID, _ patch: LimitsPatch, _ action: String, by actor: Actor,
        _ transaction: PostgresTransaction
    ) async throws -> KeyChange {
        let before = try await Self.limits(of: organization, forUpdate: true, transaction)
        var after = before
        if let plan = patch.plan {
            if let plan { try await Self.refuseUnknown(plan: plan, transaction) }
            after.plan = plan
        }
        if let overrides = patch.overrides { after.overrides = overrides }
        if let own = patch.own { after.own = own }
        if let zone = patch.timeZone { after.timeZone = zone }
        try await transaction.execute(
            """
            UPDATE organizations SET plan = \(after.plan),
                limit_overrides = \(after.overrides.map { PostgresJSON($0) }),
                limits = \(after.own.map { PostgresJSON($0) }), time_zone = \(after.timeZone)
            WHERE id = \(organization)
            """)
        try await audit.record(
            AuditLog.Deed(
                action, "organization", organization, before: Self.description(before),
                after: Self.description(after)),
            by: actor, in: organization, at: time.timestamp(), transaction)
        return try await raiseKeyGeneration(of: organization, transaction)
    }

    private static func refuseUnknown(plan: String, _ transaction: PostgresTransaction) async throws {
        let names = try await transaction.query("SELECT name FROM plans ORDER BY name LIMIT 100")
            .decode(String.self)
        guard !names.contains(plan) else { return }
        throw Problem(
            .unprocessable, code: "unknown_plan",
            "There is no such plan. Those of this instance are \(names.joined(separator: ", ")).",
            field: "plan")
    }

    /// With the zone as the database spells it. Before the organization is held, so that nobody waits for that.
    private func resolved(_ patch: LimitsPatch) async throws -> LimitsPatch {
        guard let zone = patch.timeZone else { return patch }
        if let name = try await timeZones.name(like: zone, in: pool) {
            var patch = patch
            patch.timeZone = name
            return patch
        }
        throw Problem(
            .unprocessable, code: "unknown_time_zone",
            "There is no such time zone. Name one as IANA does, for example \"Europe/Berlin\".",
            field: "time_zone")
    }

    /// For the audit trail.
    private static func description(_ limits: StoredLimits) -> String {
        var json = JSONWriter()
        json.object { json in
            json.field("plan", limits.plan)
            json.field("overrides", raw: limits.overrides ?? Array("null".utf8))
            json.field("limits", raw: limits.own ?? Array("null".utf8))
            json.field("time_zone", limits.timeZone)
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
