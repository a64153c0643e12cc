import Admission
import Base
import Postgres

/// A window that is to be made.
struct LackingWindow: Equatable, Sendable {
    /// nil: always.
    var range: Range<Timestamp>?
    /// What was used in it before.
    var opening: Int64 = 0
    /// Whether some of that may still be under way.
    var isLate = false
}

extension BudgetStore {
    /// What a call may still be under way for, and what it takes until all processes know a new limit.
    static let longestCall = Duration.seconds(1860)
    static let patience = Duration.seconds(60)

    /// The window of now, where there is none, and the one behind it.
    ///
    /// - Parameter end: of the last there is.
    func lackingWindows(
        of budget: Budget, behind end: Timestamp?, at now: Timestamp, _ transaction: PostgresTransaction
    ) async throws -> [LackingWindow] {
        if budget.period == .total {
            let used = try await used(by: budget, in: nil, madeAt: now, transaction)
            return [LackingWindow(range: nil, opening: used, isLate: true)]
        }
        var windows: [LackingWindow] = []
        var end = end
        repeat {
            let moment = max(end ?? now, now)
            let (start, stop) = try await transaction.query(
                """
                SELECT start, stop FROM budget_window(
                    (SELECT time_zone FROM organizations WHERE id = \(budget.organization)),
                    \(budget.period), \(moment))
                """)[0].decode((Timestamp, Timestamp).self)
            // Behind the last one, also where the organization has moved to another zone.
            let range = max(start, end ?? start)..<stop
            var window = LackingWindow(range: range, isLate: range.lowerBound < now)
            if window.isLate {
                window.opening = try await used(by: budget, in: range, madeAt: now, transaction)
            }
            windows.append(window)
            end = stop
        } while windows.last?.range.map { $0.lowerBound <= now } ?? false
        return windows
    }

    func insert(
        _ windows: [LackingWindow], of budget: Budget, _ transaction: PostgresTransaction
    ) async throws {
        let now = time.timestamp()
        for window in windows {
            let start = window.range?.lowerBound
            try await transaction.execute(
                """
                INSERT INTO money_limits (id, org_id, kind, subject, window_start, window_end, cap_nano, settled_nano,
                    opening_nano, budget_id, is_soft, recount_at, created_at)
                VALUES (\(UUID.make(at: now)), \(budget.organization), 'budget', \(budget.subject.text), \(start),
                    \(window.range?.upperBound), \(budget.cap(at: max(now, start ?? now))), \(window.opening),
                    \(window.opening), \(budget.id), \(budget.isSoft),
                    \(window.isLate ? now + Self.patience : nil), \(now))
                """)
        }
    }

    // MARK: What was used

    /// Reading a month of a large organization may take as long.
    private static let timeoutOfCounting = Duration.seconds(120)

    /// What was spent on what a budget is about, by calls that did not know its window `limit`: those that had ended
    /// before it was made, and those that were under way.
    func used(
        by budget: Budget, in range: Range<Timestamp>?, madeAt moment: Timestamp, limit: UUID? = nil,
        _ transaction: PostgresTransaction
    ) async throws -> Int64 {
        let start = range?.lowerBound
        // Calls are named in the order in which they began.
        let first = start.map { UUID.make(at: $0 + (.zero - Self.longestCall * 2), (0, 0)) }
        let last = min(moment + Self.longestCall, range?.upperBound ?? moment + Self.longestCall)
        return try await transaction.query(
            """
            SELECT least(4000000000000000000,
                coalesce(sum(charge_nano + CASE WHEN is_own_key THEN coalesce(cost_nano, 0) ELSE 0 END), 0))::bigint
            FROM usage_events AS event
            WHERE org_id = \(budget.organization) AND at < \(last) AND started < \(moment + Self.patience)
                AND (\(start)::timestamptz IS NULL OR at >= \(start))
                AND (\(first)::uuid IS NULL OR id >= \(first))
                AND \(Self.isAbout(budget.subject))
                AND (at < \(moment + (.zero - Self.patience)) OR NOT EXISTS (
                    SELECT FROM usage_events AS known
                    WHERE known.id = event.id AND known.at = event.at AND known.is_last
                        AND (\(limit) = ANY (known.limit_ids)
                            OR known.at >= \(moment) AND known.would_refuse IS NOT NULL)))
            """, timeout: Self.timeoutOfCounting)[0].decode(Int64.self)
    }

    private static func isAbout(_ subject: LimitSubject) -> SQL {
        switch subject {
        case .user(let user): "user_id = \(user)"
        case .key(let key): "key_id = \(key)"
        case .model(let model): "model = \(model)"
        case .group(.embeddings): "endpoint = 'createEmbedding'"
        case .group(.images): "endpoint = 'createImage'"
        case .group(.chat): "endpoint NOT IN ('createEmbedding', 'createImage')"
        case .tag(let tag):
            """
            EXISTS (SELECT FROM jsonb_each_text(tags) AS said (name, value) WHERE name || '=' || value = \(tag))
            """
        case .organization: "true"
        // Nothing is paid for these.
        case .group(.management), .eachModel, .address: "false"
        }
    }
}
