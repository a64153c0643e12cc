import Base

extension Vault.Place {
    /// The secret that an identity provider knows us by.
    static func singleSignOn(_ connection: UUID, of organization: UUID?) -> Vault.Place {
        Vault.Place(kind: "sso_connection", organization: organization, row: connection)
    }
}
