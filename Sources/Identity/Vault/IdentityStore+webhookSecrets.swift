package import Base
package import Postgres

/// What webhooks of budgets are signed with. The rows are another slice's.
extension IdentityStore {
    package func sealWebhookSecret(_ secret: Secret, of budget: UUID, in organization: UUID) -> Sealed {
        vault.seal(Array(secret.reveal().utf8), at: .budgetWebhook(budget, of: organization))
    }

    /// nil where the row has none, or it does not open.
    package func openWebhookSecret(
        _ row: PostgresRow, of budget: UUID, in organization: UUID
    ) throws(PostgresError) -> Secret? {
        guard try row.decode([UInt8]?.self, "sealed") != nil else { return nil }
        let sealed = try Sealed(row)
        guard let secret = try? vault.open(sealed, at: .budgetWebhook(budget, of: organization)) else {
            return nil
        }
        return Secret(String(decoding: secret, as: UTF8.self))
    }
}

extension Vault.Place {
    static func budgetWebhook(_ budget: UUID, of organization: UUID) -> Vault.Place {
        Vault.Place(kind: "budget_webhook", organization: organization, row: budget)
    }
}
