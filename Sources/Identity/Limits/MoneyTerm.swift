package import Base
import JSON
import Postgres

/// One of an organization's limits on money, as far as it says whose requests it is about. What is left of it is asked where
/// it is held.
package struct MoneyTerm: Equatable, Sendable {
    package let id: UUID
    /// What was paid for; otherwise a budget.
    package let isWallet: Bool
    /// Whether it only counts.
    package let isSoft: Bool
    /// `organization`, `user:0199…`, `key:0199…`, `model:openai/gpt-5`, `tag:team=search`.
    package let subject: String
    /// When it is good; nil: always.
    package let window: Range<Timestamp>?

    package init(
        id: UUID, isWallet: Bool, isSoft: Bool = false, subject: String, window: Range<Timestamp>? = nil
    ) {
        self.id = id
        self.isWallet = isWallet
        self.isSoft = isSoft
        self.subject = subject
        self.window = window
    }

    package func holds(at now: Timestamp) -> Bool { window?.contains(now) ?? true }

    // MARK: In the database

    /// Those of `organizations` that have not ended, one behind the other; NULL where there are none.
    static let column: SQL = """
        (SELECT jsonb_agg(jsonb_build_array(
            money_limits.id, money_limits.kind, money_limits.subject,
            (extract(epoch FROM money_limits.window_start) * 1000000)::bigint,
            (extract(epoch FROM money_limits.window_end) * 1000000)::bigint, money_limits.is_soft) ORDER BY money_limits.id)
        FROM money_limits WHERE money_limits.org_id = organizations.id
            AND (money_limits.window_end IS NULL OR money_limits.window_end > now()))
        """

    /// What the column holds.
    static func reading(_ list: PostgresJSON?) throws(PostgresError) -> [MoneyTerm] {
        guard let list else { return [] }
        let unreadable = PostgresError(.decoding, "limits on money that cannot be read")
        let document: JSONDocument
        do throws(JSONError) { document = try JSONDocument(parsing: list.bytes) } catch { throw unreadable }
        var terms: [MoneyTerm] = []
        for element in document.root.elements {
            guard let term = MoneyTerm(element) else { throw unreadable }
            terms.append(term)
        }
        return terms
    }

    private init?(_ value: JSONValue) {
        guard let id = value.element(0)?.string.flatMap({ UUID($0) }), let kind = value.element(1)?.string,
            let subject = value.element(2)?.string
        else { return nil }
        var window: Range<Timestamp>?
        if let start = value.element(3)?.int, let end = value.element(4)?.int, start < end {
            window = Timestamp(microseconds: Int64(start))..<Timestamp(microseconds: Int64(end))
        }
        self.init(
            id: id, isWallet: kind == "wallet", isSoft: value.element(5)?.bool ?? false, subject: subject,
            window: window)
    }
}
