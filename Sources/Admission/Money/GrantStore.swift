package import Base
package import Postgres

/// Grants of money, in the database. What was granted and what was settled stay below the cap together, always.
package struct GrantStore: GrantSource {
    /// So much of what remains is given at once, and no more than this, unless more is wanted.
    private static let part: Int64 = 20
    private static let slice: Int64 = 5_000_000_000

    private let pool: PostgresPool

    package init(_ pool: PostgresPool) { self.pool = pool }

    package func take(_ wishes: [MoneyWish], of organization: UUID) async throws -> GrantAnswer {
        try await pool.transaction(tenant: organization) { transaction in
            let limits = try await Self.lock(wishes.map(\.grant.limit), of: organization, transaction)
            var rooms = wishes.map { limits[$0.grant.limit] ?? .none }
            guard zip(wishes, rooms).allSatisfy({ $0.least <= $1.room }) else {
                let fresh = try await Self.fresh(wishes.map(\.grant.limit), of: organization, transaction)
                for (place, wish) in wishes.enumerated() {
                    rooms[place].isFresh = fresh.contains(wish.grant.limit)
                }
                return GrantAnswer(amounts: nil, rooms: rooms)
            }
            let amounts = zip(wishes, rooms).map(Self.amount)
            let worker = wishes.first?.worker
            let note = wishes.first?.note?.encoded()
            try await transaction.execute(
                """
                WITH given AS (
                    INSERT INTO money_grants (id, org_id, limit_id, amount_nano, is_direct, worker, note)
                    SELECT told.id, \(organization), told.limit_id, told.amount,
                        \(worker != nil), \(worker), \(note)
                    FROM unnest(\(wishes.map(\.grant.id)), \(wishes.map(\.grant.limit)), \(amounts))
                        AS told (id, limit_id, amount)
                    RETURNING limit_id, amount_nano
                )
                UPDATE money_limits SET granted_nano = granted_nano + given.amount
                FROM (SELECT limit_id, sum(amount_nano)::bigint AS amount FROM given GROUP BY limit_id) AS given
                WHERE money_limits.id = given.limit_id
                """)
            for (place, amount) in amounts.enumerated() {
                rooms[place].granted += amount
                rooms[place].room -= amount
            }
            return GrantAnswer(amounts: amounts, rooms: rooms)
        }
    }

    private static func amount(of wish: MoneyWish, in room: LimitRoom) -> Int64 {
        guard let wanted = wish.wanted else { return wish.least }
        return min(room.room, max(wish.least, wanted, min(slice, room.room / part)))
    }

    /// Those of the limits that have just granted something.
    private static func fresh(
        _ limits: [UUID], of organization: UUID, _ transaction: PostgresTransaction
    ) async throws -> [UUID] {
        try await transaction.query(
            """
            SELECT DISTINCT limit_id FROM money_grants
            WHERE org_id = \(organization) AND limit_id = ANY(\(limits)) AND closed_at IS NULL
                AND created_at > clock_timestamp() - interval '1 second'
            """
        ).decode(UUID.self)
    }

    /// In the order of their names, so that nobody waits for each other.
    private static func lock(
        _ limits: [UUID], of organization: UUID, _ transaction: PostgresTransaction
    ) async throws -> [UUID: LimitRoom] {
        let rows = try await transaction.query(
            """
            SELECT id, cap_nano, granted_nano, GREATEST(0, cap_nano - settled_nano - granted_nano),
                COALESCE(clock_timestamp() < window_start OR clock_timestamp() >= window_end, false)
            FROM money_limits WHERE org_id = \(organization) AND id = ANY(\(limits))
            ORDER BY id FOR UPDATE
            """
        ).decode((UUID, Int64, Int64, Int64, Bool).self)
        return Dictionary(
            rows.map { id, cap, granted, room, isOver in
                (id, LimitRoom(cap: cap, granted: granted, room: isOver ? 0 : room, isOver: isOver))
            }, uniquingKeysWith: { one, _ in one })
    }

    package func settle(_ grants: [MoneyGrant], at costs: [Int64], of organization: UUID) async throws {
        let costs = grants.indices.map { $0 < costs.count ? max(0, costs[$0]) : 0 }
        try await pool.transaction(tenant: organization) { transaction in
            // Behind whoever is about to take one of these, and has not heard yet that it was given.
            _ = try await Self.lock(grants.map(\.limit), of: organization, transaction)
            try await transaction.execute(
                """
                WITH before AS (
                    SELECT held.id, held.amount_nano, LEAST(told.cost, held.amount_nano + room.nano) AS cost_nano
                    FROM money_grants AS held JOIN unnest(\(grants.map(\.id)), \(costs)) AS told (id, cost)
                        ON told.id = held.id
                    JOIN (
                        SELECT id, GREATEST(0, cap_nano - settled_nano - granted_nano) AS nano
                        FROM money_limits WHERE org_id = \(organization) AND id = ANY(\(grants.map(\.limit)))
                    ) AS room ON room.id = held.limit_id
                    WHERE held.org_id = \(organization) AND held.closed_at IS NULL
                ), ended AS (
                    UPDATE money_grants SET
                        amount_nano = CASE WHEN before.cost_nano > 0 THEN before.cost_nano
                            ELSE before.amount_nano END,
                        state = CASE WHEN before.cost_nano > 0 THEN money_grants.state ELSE 'returned' END,
                        closed_at = CASE WHEN before.cost_nano > 0 THEN NULL ELSE now() END
                    FROM before WHERE money_grants.id = before.id
                    RETURNING money_grants.limit_id, before.amount_nano - before.cost_nano AS surplus
                )
                UPDATE money_limits SET granted_nano = granted_nano - ended.surplus
                FROM (SELECT limit_id, sum(surplus)::bigint AS surplus FROM ended GROUP BY limit_id) AS ended
                WHERE money_limits.id = ended.limit_id
                """)
        }
    }

    package func speak(for worker: Int64) async throws {
        try await pool.transaction { transaction in
            _ = try await transaction.query("SELECT set_config('app.system', 'on', true)")
            try await transaction.execute(
                """
                WITH gone AS (
                    DELETE FROM money_workers WHERE seen_at < clock_timestamp() - interval '1 day' AND worker <> \(worker)
                )
                INSERT INTO money_workers (worker, seen_at) VALUES (\(worker), clock_timestamp())
                ON CONFLICT (worker) DO UPDATE SET seen_at = EXCLUDED.seen_at
                """)
        }
    }
}
