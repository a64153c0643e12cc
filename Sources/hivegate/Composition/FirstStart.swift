import Base
import Identity
import Loop
import Postgres

/// Makes a local Hivegate usable: an organization, its owner and a key, once.
struct FirstStart {
    static let organizationName = "Local"
    static let ownerEmail = "owner@local.hivegate"

    let storage: Storage
    let identity: SharedIdentity
    let directory: String
    let url: String
    let loop: EventLoop
    let logger: Logger

    /// The credentials of the local organization: those of an earlier start, or new ones.
    func credentials() async throws -> Credentials {
        let pool = PostgresPool(storage.database, on: loop)
        let store = identity.store(pool)
        do {
            var credentials = try await found(store)
            // A server that is only tried out may never hash again.
            PasswordPool.giveBackMemory()
            credentials.url = url
            try credentials.write(in: directory)
            await pool.close(until: .now() + .seconds(1))
            return credentials
        } catch {
            await pool.close(until: .now() + .seconds(1))
            throw error
        }
    }

    private func found(_ store: IdentityStore) async throws -> Credentials {
        if let existing = try await existing(store) { return existing }
        if let replaced = try await replaced(store) { return replaced }
        return try await made(store)
    }

    /// Those of an earlier start, if their key still is one.
    private func existing(_ store: IdentityStore) async throws -> Credentials? {
        guard let credentials = Credentials.read(in: directory),
            let key = APIKey(presented: credentials.key.reveal().utf8),
            try await store.caller(of: storage.peppers.digests(of: key)) != nil
        else { return nil }
        return credentials
    }

    /// The organization is there and its credentials are lost: a new key and a new password.
    private func replaced(_ store: IdentityStore) async throws -> Credentials? {
        guard let account = try await store.account(withEmail: Self.ownerEmail),
            let organization = try await store.organizations(of: account.id).first(where: {
                $0.role == .owner
            })
        else { return nil }
        logger.warning("the credentials were lost or revoked: making a new key and password")
        let password = Secret.newPassword()
        let hash = try await identity.passwords.hash(password, on: loop)
        try await store.setPassword(hash, of: account.id, sparing: nil, by: .system)
        let made = try await store.makeKey(
            NewKey(name: "Replacement key"), for: account.id, of: organization.id, by: .system)
        return Credentials(
            url: url, key: made.key.secret, ownerEmail: Self.ownerEmail, ownerPassword: password)
    }

    private func made(_ store: IdentityStore) async throws -> Credentials {
        let password = Secret.newPassword()
        let founding = try await store.found(
            organization: Self.organizationName, owner: Self.ownerEmail,
            password: identity.passwords.hash(password, on: loop), by: .system)
        return Credentials(
            url: url, key: founding.key.secret, ownerEmail: Self.ownerEmail, ownerPassword: password)
    }

}
