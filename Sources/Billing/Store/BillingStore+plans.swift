import Admission
import Base
import Catalog
package import Identity
import JSON
import Postgres

extension BillingStore {
    /// An instance has no more plans.
    package static let mostPlans = 100

    /// In their order; archived ones on wish.
    package func plans(withArchived: Bool = false) async throws -> [Plan] {
        try await pool.transaction(readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT \(Plan.columns) FROM plans WHERE \(withArchived) OR NOT archived
                ORDER BY position, name LIMIT \(Self.mostPlans)
                """
            ).map { try Plan($0) }
        }
    }

    package func plan(_ name: String) async throws -> Plan {
        try await pool.transaction(readOnly: true) { try await Self.plan(name, $0) }
    }

    static func plan(_ name: String, _ transaction: PostgresTransaction) async throws -> Plan {
        let rows = try await transaction.query("SELECT \(Plan.columns) FROM plans WHERE name = \(name)")
        guard let row = rows.first else { throw Problem.notFound("plan") }
        return try Plan(row)
    }

    // MARK: For the operator

    /// Adds a plan or changes one. From then on it is the operator's, and no release changes it.
    package func save(_ plan: Plan, by actor: Actor = .command) async throws {
        if !plan.faults.isEmpty { throw Problem(faults: plan.faults, code: "invalid_plan") }
        var plan = plan
        plan.source = .operator
        let saved = plan
        try await system { transaction in
            let count = try await transaction.query("SELECT count(*) FROM plans WHERE name <> \(saved.name)")[
                0
            ]
            .decode(Int64.self)
            guard count < Self.mostPlans else {
                throw Problem(
                    .conflict, code: "too_many_plans",
                    "There are \(count) plans, and no room for more. Delete some that nobody has.")
            }
            try await transaction.execute(Self.upsert(saved, over: [.hivegate, .operator]))
            var detail = JSONWriter()
            detail.object { json in
                json.field("title", saved.title)
                json.field("price_cents", Int(saved.cents))
                json.field("interval", saved.interval.rawValue)
                json.field("archived", saved.isArchived)
                json.field("limits", raw: saved.limits.json)
            }
            try await identity.note(
                "plan.save", on: "plan", saved.name, after: detail.bytes, in: nil, by: actor, transaction)
        }
    }

    /// A plan that somebody has is archived at most.
    package func deletePlan(_ name: String, by actor: Actor = .command) async throws {
        do {
            try await system { transaction in
                let isInUse = try await transaction.query(
                    "SELECT EXISTS (SELECT FROM subscriptions WHERE granted_plan = \(name) AND ended_at IS NULL)"
                )[0]
                .decode(Bool.self)
                if isInUse || name == Subscription.fallbackPlan { throw Problem.planInUse }
                let count = try await transaction.execute("DELETE FROM plans WHERE name = \(name)")
                if count == 0 { throw Problem.notFound("plan") }
                try await identity.note("plan.delete", on: "plan", name, in: nil, by: actor, transaction)
            }
        } catch let error as PostgresError {
            if case .foreignKeyViolation = error.kind { throw Problem.planInUse }
            throw error
        }
    }

    /// Writes the plans of a preset, but for those of which an operator has said something. Those of another preset are
    /// archived.
    package func apply(_ preset: PlanPreset) async throws {
        try await system { transaction in
            for plan in preset.plans { try await transaction.execute(Self.upsert(plan, over: [.hivegate])) }
            try await transaction.execute(
                """
                UPDATE plans SET archived = true
                WHERE source = \(Plan.Source.hivegate.rawValue) AND NOT archived
                    AND NOT name = ANY(\(preset.plans.map(\.name)))
                """)
        }
    }

    /// What nothing changes is not written, so that processes that start do not wait for each other.
    private static func upsert(_ plan: Plan, over sources: [Plan.Source]) -> SQL {
        var features = JSONWriter()
        features.array { json in for feature in plan.features { json.value(feature) } }
        let names = [
            "title", "limits", "price_cents", "billing_interval", "trial_days", "models_per_request",
            "allowed_models", "features",
            "commission_points", "commission_mode", "is_custom", "position", "archived", "source",
        ]
        func list(_ prefix: String) -> SQL {
            SQL.joined(names.map { "\(unsafeSQL: prefix + $0)" }, by: ", ")
        }
        let (columns, old, new) = (list(""), list("kept."), list("EXCLUDED."))
        return """
            INSERT INTO plans AS kept (name, \(columns))
            VALUES (\(plan.name), \(plan.title), \(PostgresJSON(plan.limits.json)), \(plan.cents),
                \(plan.interval.rawValue), \(Int32(plan.trialDays)), \(plan.modelsPerRequest.map { Int32($0) }),
                \(plan.models), \(PostgresJSON(features.bytes)), \(plan.commission.map { Int32($0.points) }),
                \(plan.commission?.mode.rawValue), \(plan.isCustom), \(Int32(plan.position)), \(plan.isArchived),
                \(plan.source.rawValue))
            ON CONFLICT (name) DO UPDATE SET (\(columns)) = (\(new))
            WHERE kept.source = ANY(\(sources.map(\.rawValue))) AND (\(old)) IS DISTINCT FROM (\(new))
            """
    }
}

extension Plan {
    static let columns: SQL = """
        name, title, limits, price_cents, billing_interval, trial_days, models_per_request, allowed_models,
        features, commission_points, commission_mode, is_custom, position, archived, source
        """

    init(_ row: PostgresRow) throws {
        let limits = try LimitRules(json: row.decode(PostgresJSON.self, "limits").bytes)
        self.init(
            try row.decode(String.self, "name"), try row.decode(String.self, "title"),
            cents: try row.decode(Int64.self, "price_cents"),
            every: BillingInterval(rawValue: try row.decode(String.self, "billing_interval")) ?? .month,
            limits: limits)
        trialDays = Int(try row.decode(Int32.self, "trial_days"))
        modelsPerRequest = try row.decode(Int32?.self, "models_per_request").map { Int($0) }
        models = try row.decode([String]?.self, "allowed_models")
        let features = try JSONDocument(parsing: try row.decode(PostgresJSON.self, "features").bytes)
        self.features = features.root.elements.compactMap(\.string)
        if let points = try row.decode(Int32?.self, "commission_points"),
            let mode = try row.decode(String?.self, "commission_mode").flatMap(Commission.Mode.init)
        {
            commission = Commission(points: Int(points), mode)
        }
        isCustom = try row.decode(Bool.self, "is_custom")
        position = Int(try row.decode(Int32.self, "position"))
        isArchived = try row.decode(Bool.self, "archived")
        source = Source(rawValue: try row.decode(String.self, "source")) ?? .operator
    }
}
