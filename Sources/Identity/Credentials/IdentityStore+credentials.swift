package import Base
import Postgres

extension IdentityStore {
    /// Of one organization.
    package static let largestCredentialCount = 1000

    package func credentials(of organization: UUID?) async throws -> [ProviderCredential] {
        try await pool.transaction(in: Self.scope(organization), readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT \(ProviderCredential.columns) FROM provider_credentials
                WHERE org_id IS NOT DISTINCT FROM \(organization)
                ORDER BY provider, created_at, id LIMIT \(Self.largestCredentialCount)
                """
            ).decode { row throws(PostgresError) in try ProviderCredential(row) }
        }
    }

    package func credential(_ id: UUID, of organization: UUID?) async throws -> ProviderCredential {
        try await pool.transaction(in: Self.scope(organization), readOnly: true) {
            try await credential(id, of: organization, $0)
        }
    }

    private func credential(
        _ id: UUID, of organization: UUID?, forUpdate: Bool = false, _ transaction: PostgresTransaction
    ) async throws -> ProviderCredential {
        let found = try await transaction.query(
            """
            SELECT \(ProviderCredential.columns) FROM provider_credentials
            WHERE id = \(id) AND org_id IS NOT DISTINCT FROM \(organization)
            \(forUpdate ? "FOR UPDATE" : "" as SQL)
            """)
        guard let row = found.first else { throw Problem.notFound("credential") }
        return try ProviderCredential(row)
    }

    package func addCredential(
        _ new: NewCredential, of organization: UUID?, by actor: Actor
    ) async throws -> (credential: ProviderCredential, change: KeyChange?) {
        try await pool.transaction(in: Self.scope(organization)) { transaction in
            let made = try await addCredential(new, of: organization, by: actor, transaction)
            return (made, try await raiseGeneration(of: organization, transaction))
        }
    }

    func addCredential(
        _ new: NewCredential, of organization: UUID?, by actor: Actor, _ transaction: PostgresTransaction
    ) async throws -> ProviderCredential {
        let id = UUID.make(at: time.timestamp())
        let sealed = vault.seal(
            Array(new.key.reveal().utf8), at: .credential(id, of: organization, new.provider))
        let count = try await transaction.query(
            "SELECT count(*) FROM provider_credentials WHERE org_id IS NOT DISTINCT FROM \(organization)"
        )[0].decode(Int64.self)
        guard count < Self.largestCredentialCount else {
            throw Problem(
                .conflict, code: "too_many_credentials",
                "There are \(Self.largestCredentialCount) credentials already. Delete some first.")
        }
        try await transaction.execute(
            """
            INSERT INTO provider_credentials (id, org_id, provider, name, base_url, sealed, wrapped_key,
                master_version, last_four, created_at, updated_at)
            VALUES (\(id), \(organization), \(new.provider), \(new.name), \(new.baseURL), \(sealed.sealed),
                \(sealed.wrappedKey), \(sealed.masterVersion), \(Self.lastFour(new.key)),
                \(time.timestamp()), \(time.timestamp()))
            """)
        let made = try await credential(id, of: organization, transaction)
        try await record("credential.create", made, before: nil, after: made, by: actor, transaction)
        return made
    }

    /// A new URL without a new key takes the key away: a key is only ever sent where it was meant for.
    package func changeCredential(
        _ id: UUID, of organization: UUID?, _ patch: CredentialPatch, by actor: Actor,
        checking check: (ProviderCredential) throws -> Void = { _ in }
    ) async throws -> (credential: ProviderCredential, change: KeyChange?) {
        try await pool.transaction(in: Self.scope(organization)) { transaction in
            let before = try await credential(id, of: organization, forUpdate: true, transaction)
            try check(before)
            let baseURL = patch.baseURL ?? before.baseURL
            if let key = patch.key {
                let sealed = vault.seal(
                    Array(key.reveal().utf8), at: .credential(id, of: organization, before.provider))
                try await transaction.execute(
                    """
                    UPDATE provider_credentials SET sealed = \(sealed.sealed), wrapped_key = \(sealed.wrappedKey),
                        master_version = \(sealed.masterVersion), last_four = \(Self.lastFour(key))
                    WHERE id = \(id)
                    """)
            } else if baseURL != before.baseURL {
                try await transaction.execute(
                    """
                    UPDATE provider_credentials SET sealed = NULL, wrapped_key = NULL, master_version = NULL,
                        last_four = NULL
                    WHERE id = \(id)
                    """)
            }
            try await transaction.execute(
                """
                UPDATE provider_credentials SET name = \(patch.name ?? before.name), base_url = \(baseURL),
                    updated_at = \(time.timestamp()),
                    disabled_at = CASE WHEN \(patch.isDisabled ?? before.isDisabled)
                        THEN coalesce(disabled_at, \(time.timestamp())) END
                WHERE id = \(id)
                """)
            let after = try await credential(id, of: organization, transaction)
            try await record("credential.change", after, before: before, after: after, by: actor, transaction)
            return (after, try await raiseGeneration(of: organization, transaction))
        }
    }

    package func deleteCredential(
        _ id: UUID, of organization: UUID?, by actor: Actor
    ) async throws -> KeyChange? {
        try await pool.transaction(in: Self.scope(organization)) { transaction in
            try await deleteCredential(id, of: organization, by: actor, transaction)
            return try await raiseGeneration(of: organization, transaction)
        }
    }

    func deleteCredential(
        _ id: UUID, of organization: UUID?, by actor: Actor, _ transaction: PostgresTransaction
    ) async throws {
        let before = try await credential(id, of: organization, forUpdate: true, transaction)
        try await transaction.execute("DELETE FROM provider_credentials WHERE id = \(id)")
        try await record("credential.delete", before, before: before, after: nil, by: actor, transaction)
    }

    /// nil for the instance's, of which processes hear otherwise.
    private func raiseGeneration(
        of organization: UUID?, _ transaction: PostgresTransaction
    ) async throws -> KeyChange? {
        guard let organization else { return nil }
        return try await raiseKeyGeneration(of: organization, transaction)
    }

    private static func scope(_ organization: UUID?) -> Scope {
        organization.map { .organization($0) } ?? .system
    }

    /// Of a key long enough that these give nothing away.
    private static func lastFour(_ key: Secret) -> String {
        let text = key.reveal()
        return text.utf8.count >= 12 ? String(text.suffix(4)) : ""
    }

    private func record(
        _ action: String, _ credential: ProviderCredential, before: ProviderCredential?,
        after: ProviderCredential?, by actor: Actor, _ transaction: PostgresTransaction
    ) async throws {
        func description(_ credential: ProviderCredential) -> String {
            Self.json([
                "provider": credential.provider, "name": credential.name, "base_url": credential.baseURL,
                "last_four": credential.lastFour, "disabled": credential.isDisabled ? "true" : "false",
            ])
        }
        try await audit.record(
            AuditLog.Deed(
                action, "credential", credential.id, before: before.map(description),
                after: after.map(description)),
            by: actor, in: credential.organization ?? AuditEntry.instance, at: time.timestamp(), transaction)
    }
}

extension ProviderCredential {
    static let columns: SQL =
        "id, org_id, provider, name, base_url, last_four, disabled_at, created_at, updated_at"

    init(_ row: PostgresRow) throws(PostgresError) {
        let (id, organization, provider, name, baseURL, lastFour, disabledAt, createdAt, updatedAt) =
            try row.decode(
                (UUID, UUID?, String, String, String?, String?, Timestamp?, Timestamp, Timestamp).self)
        self.init(
            id: id, organization: organization, provider: provider, name: name, baseURL: baseURL,
            lastFour: lastFour, isDisabled: disabledAt != nil, createdAt: createdAt, updatedAt: updatedAt)
    }
}

extension Vault.Place {
    static func credential(_ id: UUID, of organization: UUID?, _ provider: String) -> Vault.Place {
        Vault.Place(
            kind: "provider_credential", organization: organization, row: id, detail: provider)
    }
}
