import Admission
import Base
import Billing
import Cache
import Catalog
import Gateway
import HTTPClient
import HTTPServer
import HTTPWire
import Identity
import JSON
import Loop
import Postgres
import Providers
import Redis
import TestKit
import Testing

/// A whole gateway in this process, on a PostgreSQL and a Redis of its own, as the application's role.
// Confined to its loop.
final class ManagementWorld: @unchecked Sendable {
    static let password = "correct horse battery"

    let loop: EventLoop
    let pool: PostgresPool
    /// As the superuser: for what the application cannot do.
    let owner: PostgresConnection
    let store: IdentityStore
    let audit: AuditLog
    let vault: Vault
    let signingKeys: SigningKeys
    let signingKeyStore: SigningKeyStore
    private let client: HTTPClient
    private var server: HTTPServer?
    let redisServer: PrivateRedis
    private let cacheStatistics = CacheStatistics()
    private(set) var port = 0
    /// Who watches calls.
    let live = LiveCalls()
    private(set) var liveChannel: LiveCallChannel?

    struct Options {
        var registration = IdentityStore.Registration.open
        var requiresVerifiedEmail = false
        var outboundExceptions: [IPNetwork] = []
        /// What the environment would have set up.
        var upstreams: [Upstream.Settings] = []
        var addressRequestsPerMinute = 0
        var hasBilling = true
        var longestWatch = Duration.milliseconds(50)
        var silence = Duration.seconds(15)
        var trustedNetworks: [IPNetwork] = [IPNetwork("127.0.0.0/8")].compactMap(\.self)
    }

    /// Somebody who has signed in.
    struct Person: Sendable {
        var email: String
        var user: UUID
        var organization: UUID
        var token: String
        var refreshToken: String
    }

    struct Answer {
        var status: Int
        var fields: HTTPFields
        var body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
        var json: JSONDocument? { try? JSONDocument(parsing: body) }
        var code: String? { json?["error"]?["code"]?.string }
        subscript(name: String) -> String? { fields.string(name) }
    }

    /// What a request shows to say who sends it.
    enum Credential {
        case none
        case bearer(String)
        case cookie(String, origin: String?)

        var fields: [(name: String, value: String)] {
            switch self {
            case .none: []
            case .bearer(let token): [("Authorization", "Bearer \(token)")]
            case .cookie(let cookie, let origin):
                [("Cookie", cookie)] + (origin.map { [("Origin", $0)] } ?? [])
            }
        }
    }

    static func run(
        _ options: Options = Options(), _ body: @escaping @Sendable (ManagementWorld) async throws -> Void
    ) async throws {
        let database = try await MigratedDatabase()
        try await onLoop { loop in
            try await PrivateRedis.with(on: loop) { redis in
                let world = try await ManagementWorld(database, redis, options, on: loop)
                do {
                    try await body(world)
                    await world.close()
                } catch {
                    await world.close()
                    throw error
                }
            }
        }
    }

    /// As each process has it every few seconds.
    let quotaWriter: QuotaWriter
    private let gatekeeper: Gatekeeper
    private let redis: RedisClient
    private let passwords: PasswordPool

    private init(
        _ database: MigratedDatabase, _ redisServer: PrivateRedis, _ options: Options, on loop: EventLoop
    ) async throws {
        self.loop = loop
        self.redisServer = redisServer
        client = HTTPClient(on: loop)
        owner = try await database.owner(on: loop)
        pool = try database.pool(on: loop)
        redis = RedisClient(try RedisURL(redisServer.url), on: loop)
        let quotas = QuotaStore(pool)
        gatekeeper = Gatekeeper(redis) { try await quotas.load($0, $1, $2) }
        quotaWriter = QuotaWriter(gatekeeper, quotas, on: loop, logger: .silent)
        vault = Vault(try MasterKeys(parsing: Secret(MasterKeys.newFile())))
        audit = AuditLog(secret: try await InstanceSecrets(pool, vault).secret(.audit))
        signingKeys = SigningKeys(issuer: "https://hivegate.test", audience: "https://hivegate.test")
        let moved = Locked(Duration.zero)
        let time = TimeSource(
            instant: { Instant.now() + moved.withLock { $0 } },
            timestamp: { Timestamp.now() + moved.withLock { $0 } })
        clock = moved
        signingKeyStore = SigningKeyStore(pool, vault, audit, time: time)
        signingKeys.replace(with: try await signingKeyStore.load())
        passwords = PasswordPool(threads: 1, capacity: 64)
        var settings = IdentityStore.Settings(publicURL: "https://hivegate.test")
        settings.registration = options.registration
        settings.requiresVerifiedEmail = options.requiresVerifiedEmail
        let peppers = try KeyPeppers(parsing: Secret("1:\(String(repeating: "p", count: 32))"))
        store = IdentityStore(
            pool, peppers: peppers, vault: vault, audit: audit, settings: settings, time: time)
        billing = BillingStore(pool, identity: store, time: time)
        wallets = WalletStore(pool, identity: store)
        try await start(peppers, time, options)
    }

    private let clock: Locked<Duration>
    let billing: BillingStore
    let wallets: WalletStore

    /// As processes do every few seconds.
    func tellStatistics() async { await CacheStatisticsWriter(cacheStatistics, redis).close() }

    /// Waits for Redis to be known to be there, or not.
    func awaitRedis(isReady: Bool) async throws {
        while redis.isReady != isReady { try await loop.sleep(for: .milliseconds(5)) }
    }

    /// When the answers of an organization were last deleted; nil: never.
    func purgeTime(of organization: UUID) async throws -> Int64? {
        let reply = try await redis.send(CacheStore.generationCommand(of: organization))
        return CacheStore.generation(reply).flatMap { $0 == 0 ? nil : $0 }
    }

    /// Lets time pass, for everything but the database's own clock.
    func age(_ duration: Duration) { clock.withLock { $0 += duration } }

    private func start(_ peppers: KeyPeppers, _ time: TimeSource, _ options: Options) async throws {
        let store = store
        let lookup = CallerLookup(pool)
        let shared = SharedKeys()
        let generations = KeyGenerations(redis, shared, logger: .silent)
        let keys = KeyRing(
            on: loop, peppers: peppers, shared: shared, generations: generations, time: time
        ) { try await lookup.caller(of: $0) }
        let throttle = LoginThrottle(redis, time: time)
        let identity = IdentityServices(
            store: store, signIn: SignIn(on: loop, store, passwords: passwords, throttle: throttle),
            passwords: passwords, throttle: throttle,
            tokens: SessionTokens(signingKeys, signingKeyStore, store, time: time),
            singleSignOn: SingleSignOn(
                store, SSOProviders(client, OutboundPolicy(allowing: options.outboundExceptions), time: time),
                secret: Random.bytes(32), time: time),
            publicURL: "https://hivegate.test",
            announce: { await generations.announce($0.organization, $0.generation) })
        let catalog = SharedCatalog()
        try await catalog.refresh(from: CatalogStore(pool))
        let upstreams = InstanceUpstreams(
            UpstreamDirectory(options.upstreams.map { Upstream($0) }), logger: .silent)
        try await upstreams.refresh(from: store)
        if options.hasBilling { try await billing.apply(.unified) }
        var limits = Gateway.Limits()
        limits.addressRequestsPerMinute = options.addressRequestsPerMinute
        limits.longestWatch = options.longestWatch
        limits.watcherCheck = .milliseconds(200)
        limits.silence = options.silence
        liveChannel = LiveCallChannel(try RedisURL(redisServer.url), live, redis, on: loop)
        let gateway = Gateway(
            on: loop, keys: keys, identity: identity, trustedNetworks: options.trustedNetworks,
            gatekeeper: gatekeeper, answers: CacheStore(redis), cacheStatistics: cacheStatistics,
            clients: OutboundClients(
                client, direct: client, policy: OutboundPolicy(allowing: options.outboundExceptions)),
            upstreams: upstreams, ownRoutes: OwnRoutesMemory(),
            health: HealthReport(silence: { .zero }, obstacles: { [] }),
            metrics: Metrics(), logger: .silent,
            billing: options.hasBilling
                ? BillingServices(billing, wallets: wallets, seller: "Hivegate Test\nSome Street 1") : nil,
            idempotency: IdempotencyStore(pool, time: time), live: live, time: time, limits: limits,
            catalog: catalog)
        let responder = ErrorResponder(logger: .silent)
        let server = HTTPServer(
            HTTPServerConfiguration(
                router: try Router(RouteTable.routes { _ in gateway }),
                errorResponder: { responder.respond($0, $1) }))
        guard let address = IPAddress("127.0.0.1") else { return }
        try await server.start(on: [loop], addresses: [.tcp(address, port: 0)])
        self.server = server
        port = server.ports[0]
    }

    private func close() async {
        await server?.drain(within: .seconds(1))
        liveChannel?.close()
        passwords.close()
        await quotaWriter.close()
        await redis.close(drainingUntil: .now() + .seconds(1))
        await pool.close(until: .now() + .seconds(1))
        owner.close()
    }

    /// Redis as a whole, as after a crash without a copy on disk.
    func flushRedis() async throws { _ = try await redis.send(RedisCommand("FLUSHALL")) }

    // MARK: Requests

    func send(
        _ method: String, _ path: String, as credential: Credential = .none, _ body: String? = nil,
        fields: [(name: String, value: String)] = []
    ) async throws -> Answer {
        var fields = credential.fields + fields
        if body != nil { fields.append(("Content-Type", "application/json")) }
        let request = HTTPClientRequest(
            method, url: "http://127.0.0.1:\(port)\(path)", fields: fields,
            body: body.map { .bytes(Array($0.utf8)) } ?? .none)
        return try await client.withResponse(request) { response in
            Answer(
                status: response.status, fields: response.fields,
                body: try await response.body(limit: 10_000_000))
        }
    }

    /// The pieces of an answer as they come, until it ends or `read` has enough.
    func stream(
        _ path: String, as credential: Credential, fields: [(name: String, value: String)] = [],
        _ read: (Int, @escaping () async throws -> String?) async throws -> Void
    ) async throws {
        let request = HTTPClientRequest(
            "GET", url: "http://127.0.0.1:\(port)\(path)", fields: credential.fields + fields)
        try await client.withResponse(request) { response in
            try await read(response.status) {
                try await response.next().map { String(decoding: $0, as: UTF8.self) }
            }
        }
    }

    /// Stops the server, as a signal does.
    func stopServing() async { _ = await server?.drain(within: .seconds(2)) }

    func send(
        _ method: String, _ path: String, as person: Person, _ body: String? = nil
    ) async throws -> Answer {
        try await send(method, path, as: .bearer(person.token), body)
    }

    // MARK: People

    /// Signs up and in, with an organization of their own.
    func newPerson(_ name: String) async throws -> Person {
        let email = "\(name)@example.com"
        let made = try await send(
            "POST", "/api/auth/register", #"{"email":"\#(email)","password":"\#(Self.password)"}"#)
        #expect(made.status == 202, "\(made.text)")
        return try await signIn(email)
    }

    func signIn(_ email: String, _ more: String = "", password: String = ManagementWorld.password)
        async throws -> Person
    {
        let answer = try await send(
            "POST", "/api/auth/login", #"{"email":"\#(email)","password":"\#(password)"\#(more)}"#)
        try #require(answer.status == 200, "\(answer.text)")
        let token = try #require(answer.json?["access_token"]?.string)
        let me = try await send("GET", "/api/auth/me", as: .bearer(token))
        return Person(
            email: email, user: try #require(UUID(me.json?["account"]?["id"]?.string ?? "")),
            organization: try #require(UUID(answer.json?["organization_id"]?.string ?? "")), token: token,
            refreshToken: try #require(answer.json?["refresh_token"]?.string))
    }

    /// Makes somebody a member of another's organization, and signs them in there.
    func newMember(_ name: String, of host: Person, as role: Role) async throws -> Person {
        let email = "\(name)@example.com"
        let invited = try await send(
            "POST", "/api/v1/organizations/\(host.organization)/invitations", as: host,
            #"{"email":"\#(email)","role":"\#(role.rawValue)"}"#)
        #expect(invited.status == 201, "\(invited.text)")
        let token = try await mailedToken(to: email)
        let joined = try await send(
            "POST", "/api/auth/register",
            #"{"email":"\#(email)","password":"\#(Self.password)","invitation":"\#(token)"}"#)
        #expect(joined.status == 202, "\(joined.text)")
        return try await signIn(email)
    }

    // MARK: Mail

    /// The newest mail to somebody, as it lies in the outbox.
    func mail(to email: String) async throws -> String {
        let rows = try await owner.query(
            """
            SELECT id, sealed, wrapped_key, master_version FROM mail_outbox WHERE recipient = \(email)
            ORDER BY id DESC LIMIT 1
            """)
        let row = try #require(rows.first, "no mail to \(email)")
        let sealed = Sealed(
            sealed: try row.decode([UInt8].self, "sealed"),
            wrappedKey: try row.decode([UInt8].self, "wrapped_key"),
            masterVersion: try row.decode(Int16.self, "master_version"))
        let place = Vault.Place(kind: "mail", organization: nil, row: try row.decode(UUID.self, "id"))
        return String(decoding: try vault.open(sealed, at: place), as: UTF8.self)
    }

    /// The secret in the link of the newest mail to somebody.
    func mailedToken(to email: String) async throws -> String {
        let text = try await mail(to: email)
        let link = try #require(text.split(separator: "\n").first { $0.contains("token=") })
        return String(try #require(link.split(separator: "=").last))
    }
}
