import Base
import Billing
import Gateway
import HTTPClient
import Identity
import Loop
import Postgres
import Redis

/// What all loops of a process have in common of people and sessions: made once, at the start.
struct SharedIdentity: Sendable {
    /// Logins that wait for a thread; one more is told to come again.
    private static let passwordQueue = 32

    let audit: AuditLog
    let signingKeys: SigningKeys
    let passwords: PasswordPool
    private let singleSignOnSecret: [UInt8]
    private let configuration: Configuration
    private let storage: Storage

    /// Reads the secrets of the instance, and makes those that it does not have yet.
    static func load(
        _ configuration: Configuration, _ storage: Storage, on loop: EventLoop
    ) async throws -> SharedIdentity {
        let pool = PostgresPool(storage.database, on: loop)
        do {
            let secrets = InstanceSecrets(pool, storage.vault)
            let audit = AuditLog(secret: try await secrets.secret(.audit))
            let singleSignOnSecret = try await secrets.secret(.singleSignOn)
            let keys = SigningKeys(issuer: configuration.issuer, audience: configuration.issuer)
            keys.replace(with: try await SigningKeyStore(pool, storage.vault, audit).load())
            await pool.close(until: .now() + .seconds(1))
            return SharedIdentity(
                audit: audit, signingKeys: keys,
                passwords: PasswordPool(
                    threads: configuration.passwordThreadCount, capacity: Self.passwordQueue),
                singleSignOnSecret: singleSignOnSecret, configuration: configuration, storage: storage)
        } catch {
            await pool.close(until: .now() + .seconds(1))
            throw error
        }
    }

    func store(_ pool: PostgresPool) -> IdentityStore {
        var settings = IdentityStore.Settings(publicURL: configuration.publicURL)
        settings.registration = configuration.registration
        settings.requiresVerifiedEmail = configuration.requiresVerifiedEmail
        if configuration.hasBilling { settings.planOfNew = Subscription.fallbackPlan }
        return IdentityStore(
            pool, peppers: storage.peppers, vault: storage.vault, audit: audit, settings: settings)
    }

    /// A loop's own. `client` is one without a proxy, for what organizations name.
    func services(
        _ pool: PostgresPool, _ redis: RedisClient, _ client: HTTPClient, on loop: EventLoop,
        announce: @escaping @Sendable (KeyChange) async -> Void
    ) -> IdentityServices {
        let store = store(pool)
        let throttle = LoginThrottle(redis)
        return IdentityServices(
            store: store, signIn: SignIn(on: loop, store, passwords: passwords, throttle: throttle),
            passwords: passwords, throttle: throttle,
            tokens: SessionTokens(signingKeys, SigningKeyStore(pool, storage.vault, audit), store),
            singleSignOn: SingleSignOn(
                store, SSOProviders(client, OutboundPolicy(allowing: configuration.outboundExceptions)),
                secret: singleSignOnSecret),
            publicURL: configuration.publicURL, announce: announce)
    }
}
