import Base
import Postgres

/// A subscription that Stripe is asked to begin: written down before, so that it is begun once.
struct StripeBeginning: Sendable {
    /// The key.
    var id: UUID
    var organization: UUID
    var stripePlan: String
    var trialDays: Int
    /// Whether there is a card to charge; else the browser pays the first invoice.
    var paysAtOnce: Bool
    var begunAt: Timestamp

    static let columns: SQL = "id, org_id, stripe_plan, trial_days, pays_at_once, begun_at"

    var insertion: SQL {
        """
        INSERT INTO stripe_beginnings (\(Self.columns))
        VALUES (\(id), \(organization), \(stripePlan), \(Int32(trialDays)), \(paysAtOnce), \(begunAt))
        ON CONFLICT (org_id) WHERE ended_at IS NULL DO NOTHING
        """
    }
}

extension StripeBeginning {
    init(_ row: PostgresRow) throws(PostgresError) {
        let (id, organization, plan, trialDays, paysAtOnce, begunAt) = try row.decode(
            (UUID, UUID, String, Int32, Bool, Timestamp).self)
        self.init(
            id: id, organization: organization, stripePlan: plan, trialDays: Int(trialDays),
            paysAtOnce: paysAtOnce, begunAt: begunAt)
    }
}
