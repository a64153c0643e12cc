package import Base
import JSON
import Postgres

/// What an organization pays for a model for a time, where that is not what others pay.
package struct PriceTerm: Equatable, Sendable {
    package let id: UUID
    package let from: Timestamp
    /// The first moment at which it does not hold; nil: until further notice.
    package let until: Timestamp?
    /// In pico-dollars, by the columns of the price book; where it is silent the model's list price holds.
    package let amounts: [String: Int]

    package init(id: UUID, from: Timestamp, until: Timestamp? = nil, amounts: [String: Int]) {
        self.id = id
        self.from = from
        self.until = until
        self.amounts = amounts
    }

    package func holds(at now: Timestamp) -> Bool { from <= now && until.map { now < $0 } ?? true }

    // MARK: In the database

    /// Those of `organizations` that have not ended, one behind the other; NULL where there are none.
    static let column: SQL = """
        (SELECT jsonb_agg(jsonb_build_array(
            price_overrides.id, price_overrides.model_id,
            (extract(epoch FROM price_overrides.effective_from) * 1000000)::bigint,
            (extract(epoch FROM price_overrides.effective_to) * 1000000)::bigint,
            jsonb_strip_nulls(to_jsonb(price_overrides)
                - ARRAY['id', 'org_id', 'model_id', 'effective_from', 'effective_to', 'created_at'])
            ) ORDER BY price_overrides.model_id, price_overrides.effective_from)
        FROM price_overrides WHERE price_overrides.org_id = organizations.id
            AND (price_overrides.effective_to IS NULL OR price_overrides.effective_to > now()))
        """

    /// What the column holds, by model.
    static func reading(_ list: PostgresJSON?) throws(PostgresError) -> [String: [PriceTerm]] {
        guard let list else { return [:] }
        let unreadable = PostgresError(.decoding, "an organization's prices that cannot be read")
        let document: JSONDocument
        do throws(JSONError) { document = try JSONDocument(parsing: list.bytes) } catch { throw unreadable }
        var terms: [String: [PriceTerm]] = [:]
        for element in document.root.elements {
            guard let model = element.element(1)?.string, let term = PriceTerm(element) else {
                throw unreadable
            }
            terms[model, default: []].append(term)
        }
        return terms
    }

    private init?(_ value: JSONValue) {
        guard let id = value.element(0)?.string.flatMap({ UUID($0) }), let from = value.element(2)?.int,
            let prices = value.element(4), prices.kind == .object
        else { return nil }
        var amounts: [String: Int] = [:]
        for member in prices.members {
            guard let amount = member.value.int else { return nil }
            amounts[member.key.string] = amount
        }
        self.init(
            id: id, from: Timestamp(microseconds: Int64(from)),
            until: value.element(3)?.int.map { Timestamp(microseconds: Int64($0)) }, amounts: amounts)
    }
}
