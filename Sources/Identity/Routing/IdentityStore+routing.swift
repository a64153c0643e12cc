package import Base
package import Postgres

/// Where requests may go.
extension IdentityStore {
    package static let largestProviderCount = 1000

    // MARK: An organization's

    /// All of it, as of one moment.
    package func routing(of organization: UUID) async throws -> StoredRouting {
        let (organizations, rows) = try await pool.transaction(
            isolation: .repeatableRead, readOnly: true
        ) { transaction in
            try await transaction.enter(.organization(organization))
            return (
                try await transaction.query(
                    "SELECT key_generation, routing FROM organizations WHERE id = \(organization)"),
                try await transaction.query(Self.routingCredentials(of: organization))
            )
        }
        guard let row = organizations.first else { throw Problem.notFound("organization") }
        let (generation, policy) = try row.decode((Int64, PostgresJSON?).self)
        return StoredRouting(
            generation: generation, policy: policy?.bytes, credentials: try opened(rows, of: organization))
    }

    /// The policy, as JSON; nil: there is none.
    package func routingPolicy(of organization: UUID) async throws -> [UInt8]? {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            guard
                let row = try await transaction.query(
                    "SELECT routing FROM organizations WHERE id = \(organization)"
                ).first
            else { throw Problem.notFound("organization") }
            return try row.decode(PostgresJSON?.self, "routing")?.bytes
        }
    }

    /// Another policy, as JSON; nil: none.
    package func setRoutingPolicy(
        of organization: UUID, to policy: [UInt8]?, by actor: Actor
    ) async throws -> KeyChange {
        try await pool.transaction(tenant: organization) { transaction in
            let rows = try await transaction.query(
                "SELECT routing FROM organizations WHERE id = \(organization) FOR UPDATE")
            guard let row = rows.first else { throw Problem.notFound("organization") }
            let before = try row.decode(PostgresJSON?.self, "routing")?.bytes
            try await transaction.execute(
                "UPDATE organizations SET routing = \(policy.map { PostgresJSON($0) }) WHERE id = \(organization)"
            )
            let change = try await raiseKeyGeneration(of: organization, transaction)
            try await audit.record(
                AuditLog.Deed(
                    "organization.routing", "organization", organization,
                    before: before.map { String(decoding: $0, as: UTF8.self) },
                    after: policy.map { String(decoding: $0, as: UTF8.self) }),
                by: actor, in: organization, at: time.timestamp(), transaction)
            return change
        }
    }

    // MARK: The instance's

    /// The providers that were added here, and the keys for any.
    package func instanceRouting() async throws -> (
        providers: [StoredProvider], credentials: [RoutingCredential]
    ) {
        let (providers, credentials) = try await pool.transaction(
            isolation: .repeatableRead, readOnly: true
        ) { transaction in
            try await transaction.enter(.system)
            return (
                try await transaction.query(Self.providers),
                try await transaction.query(Self.routingCredentials(of: nil))
            )
        }
        return (
            try providers.decode { row throws(PostgresError) in try StoredProvider(row) },
            try opened(credentials, of: nil)
        )
    }

    package func providers() async throws -> [StoredProvider] {
        try await pool.transaction(in: .system, readOnly: true) { transaction in
            try await transaction.query(Self.providers)
                .decode { row throws(PostgresError) in try StoredProvider(row) }
        }
    }

    /// Adds a provider with its key, and whatever else `more` adds with it.
    package func addProvider(
        _ provider: StoredProvider, key: Secret?, by actor: Actor,
        _ more: (PostgresTransaction) async throws -> Void
    ) async throws {
        try await pool.transaction(in: .system) { transaction in
            let count = try await transaction.query("SELECT count(*) FROM providers")[0].decode(Int64.self)
            guard count < Self.largestProviderCount else {
                throw Problem(
                    .conflict, code: "too_many_providers",
                    "There are \(Self.largestProviderCount) providers already. Delete some first.")
            }
            let added = try await transaction.query(
                """
                INSERT INTO providers (name, title, dialect, base_url, created_at)
                VALUES (\(provider.name), \(provider.title), \(provider.dialect), \(provider.baseURL),
                    \(provider.createdAt))
                ON CONFLICT DO NOTHING RETURNING name
                """)
            guard !added.isEmpty else {
                throw Problem(
                    .conflict, code: "provider_exists",
                    "There is a provider \"\(provider.name)\" already. Delete it first, or choose another name.",
                    field: "name")
            }
            try await record("provider.create", provider, after: provider, by: actor, transaction)
            if let key {
                _ = try await addCredential(
                    NewCredential(provider: provider.name, name: provider.title, baseURL: nil, key: key),
                    of: nil, by: actor, transaction)
            }
            try await more(transaction)
        }
    }

    /// Deletes a provider that was added, with the instance's keys for it and whatever else `more` deletes with it.
    package func deleteProvider(
        _ name: String, by actor: Actor, _ more: (PostgresTransaction) async throws -> Void
    ) async throws {
        try await pool.transaction(in: .system) { transaction in
            let found = try await transaction.query(
                """
                DELETE FROM providers WHERE name = \(name)
                RETURNING name, title, dialect, base_url, created_at
                """)
            guard let row = found.first else { throw Problem.notFound("provider") }
            let provider = try StoredProvider(row)
            try await record("provider.delete", provider, before: provider, by: actor, transaction)
            let credentials = try await transaction.query(
                "SELECT id FROM provider_credentials WHERE org_id IS NULL AND provider = \(name)"
            ).decode(UUID.self)
            for id in credentials { try await deleteCredential(id, of: nil, by: actor, transaction) }
            try await more(transaction)
        }
    }

    private func record(
        _ action: String, _ provider: StoredProvider, before: StoredProvider? = nil,
        after: StoredProvider? = nil, by actor: Actor, _ transaction: PostgresTransaction
    ) async throws {
        func description(_ provider: StoredProvider) -> String {
            Self.json([
                "title": provider.title, "dialect": provider.dialect, "base_url": provider.baseURL,
            ])
        }
        try await audit.record(
            AuditLog.Deed(
                action, "provider", provider.name, before: before.map(description),
                after: after.map(description)),
            by: actor, in: AuditEntry.instance, at: time.timestamp(), transaction)
    }

    // MARK: In the database

    private static let providers: SQL =
        "SELECT name, title, dialect, base_url, created_at FROM providers ORDER BY name"

    private static func routingCredentials(of organization: UUID?) -> SQL {
        """
        SELECT id, provider, base_url, sealed, wrapped_key, master_version FROM provider_credentials
        WHERE org_id IS NOT DISTINCT FROM \(organization) AND disabled_at IS NULL
        ORDER BY created_at, id LIMIT \(Self.largestCredentialCount)
        """
    }

    private func open(_ sealed: Sealed, at place: Vault.Place) -> RoutingCredential.Key {
        do throws(Vault.Failure) {
            return .open(Secret(String(decoding: try vault.open(sealed, at: place), as: UTF8.self)))
        } catch {
            return .shut(error)
        }
    }

    private func opened(_ rows: PostgresRows, of organization: UUID?) throws -> [RoutingCredential] {
        try rows.map { row in
            let (id, provider) = (try row.decode(UUID.self, "id"), try row.decode(String.self, "provider"))
            let key =
                try row.decode([UInt8]?.self, "sealed") == nil
                ? .missing : open(try Sealed(row), at: .credential(id, of: organization, provider))
            return RoutingCredential(
                id: id, provider: provider, baseURL: try row.decode(String?.self, "base_url"),
                key: key)
        }
    }
}

extension StoredProvider {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        let (name, title, dialect, baseURL, createdAt) =
            try row.decode((String, String, String, String, Timestamp).self)
        self.init(name: name, title: title, dialect: dialect, baseURL: baseURL, createdAt: createdAt)
    }
}
