import Admission
import Base
import Cache
import Catalog
import Gateway
import HTTPClient
import HTTPServer
import HTTPWire
import Identity
import JSON
import Loop
import Metering
import Postgres
import Providers
import Redis
import TestKit

/// A whole gateway on one loop, with callers that a test makes up, on a real port.
// Confined to its loop.
final class GatewayWorld: @unchecked Sendable {
    let loop: EventLoop
    let client: HTTPClient
    let metrics = Metrics()
    private(set) var port = 0
    private var server: HTTPServer?
    /// By the digest of the key.
    private var callers: [KeyDigest: Caller] = [:]
    private let peppers: KeyPeppers
    private let passwords = PasswordPool(threads: 1, capacity: 1)
    var isDatabaseAway = false
    /// Is told of every request to an upstream.
    var onReport: @Sendable (AttemptReport) -> Void = { _ in }
    /// Is done before a client sees the end of an answer, where a test says so before the world is made.
    /// What is to be done before a client sees the end of its answer.
    typealias EndOfCall = @Sendable (UsageEvent) async -> Void
    private let beforeEnd: EndOfCall?
    var obstacles: [String] = []
    var silence = Duration.zero
    private let catalog: SharedCatalog
    /// Who can be reached.
    private(set) var directory = UpstreamDirectory()
    /// Where there is none, each loop decides by itself.
    private let redis: RedisClient

    typealias Script = @Sendable (ScriptedUpstream.Peer) async throws -> Void

    struct Answer {
        var status: Int
        var fields: HTTPFields
        var body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
        subscript(name: String) -> String? { fields.string(name) }
        /// The code of an error in OpenAI's shape.
        var code: String? { (try? JSONDocument(parsing: body))?["error"]?["code"]?.string }
    }

    private init(
        on loop: EventLoop, _ catalog: SharedCatalog, _ redis: PrivateRedis?, _ beforeEnd: EndOfCall?
    ) throws {
        self.beforeEnd = beforeEnd
        self.redis = RedisClient(try RedisURL(redis?.url ?? "redis://127.0.0.1:1"), on: loop)
        self.loop = loop
        self.catalog = catalog
        client = HTTPClient(on: loop)
        peppers = try KeyPeppers(parsing: Secret("1:\(String(repeating: "p", count: 32))"))
    }

    /// Runs `body` with a gateway whose upstream, if any, does what `script` says, and which has these endpoints beside
    /// its own.
    static func run(
        upstream script: Script? = nil, endpoints: [Endpoint] = [],
        _ body: @escaping @Sendable (GatewayWorld) async throws -> Void
    ) async throws {
        try await run(upstreams: script.map { ["openai": $0] } ?? [:], endpoints: endpoints, body)
    }

    /// With several upstreams, by name. `responsesToo` are those that speak the Responses API too.
    static func run(
        upstreams scripts: [String: Script], responsesToo: Set<String> = [],
        keys: [String] = ["sk-upstream"], endpoints: [Endpoint] = [],
        catalog: SharedCatalog = SharedCatalog(), policy: OutboundPolicy = OutboundPolicy(),
        limits: Gateway.Limits = Gateway.Limits(), redis: PrivateRedis? = nil,
        beforeEnd: EndOfCall? = nil,
        settings change: @escaping @Sendable (inout Upstream.Settings) -> Void = { _ in },
        _ body: @escaping @Sendable (GatewayWorld) async throws -> Void
    ) async throws {
        try await onLoop { loop in
            let world = try GatewayWorld(on: loop, catalog, redis, beforeEnd)
            try await world.waitForRedis(redis)
            let servers = try scripts.mapValues { try ScriptedUpstream(on: loop, $0) }
            let upstreams = servers.map { name, server in
                var settings = Upstream.Settings(
                    name: name, chat: OpenAIChatCodec(.openAI),
                    responses: responsesToo.contains(name) ? OpenAIResponsesCodec() : nil,
                    baseURL: server.url, keys: keys.map { Secret($0) }, modelsPath: "/models")
                change(&settings)
                return Upstream(settings)
            }
            world.directory = UpstreamDirectory(upstreams)
            try await world.start(endpoints, policy, limits)
            try await body(world)
            await world.server?.drain(within: .seconds(1))
            world.passwords.close()
            world.redis.close()
            for server in servers.values { server.close() }
        }
    }

    private var meter: Meter? {
        guard let beforeEnd else { return nil }
        return Meter { [loop] event, _, _, done in
            loop.spawn {
                await beforeEnd(event)
                done()
            }
        }
    }

    private func start(
        _ endpoints: [Endpoint], _ policy: OutboundPolicy, _ limits: Gateway.Limits
    ) async throws {
        let keys = KeyRing(on: loop, peppers: peppers, shared: SharedKeys()) { digests in
            if self.isDatabaseAway { throw KeyRing.Slow() }
            return digests.lazy.compactMap { self.callers[$0] }.first.map { KnownCaller($0, generation: 0) }
        }
        let health = HealthReport(silence: { self.silence }, obstacles: { self.obstacles })
        let gateway = Gateway(
            on: loop, keys: keys, identity: try nobody(), gatekeeper: Gatekeeper(redis),
            answers: CacheStore(redis), cacheStatistics: CacheStatistics(metrics: metrics),
            clients: OutboundClients(client, direct: client, policy: policy),
            upstreams: InstanceUpstreams(directory, logger: .silent),
            ownRoutes: OwnRoutesMemory(), health: health, metrics: metrics,
            logger: .silent, note: { report in self.onReport(report) }, meter: meter,
            limits: limits, catalog: catalog)
        let routes = RouteTable.routes { _ in gateway } + endpoints.map { $0.route { _ in gateway } }
        let responder = ErrorResponder(logger: .silent)
        let observer = RequestObserver(routes: routes, metrics: metrics, logger: .silent)
        var configuration = HTTPServerConfiguration(
            router: try Router(routes), errorResponder: { responder.respond($0, $1) })
        configuration.onFinish = { observer.finished($0) }
        let server = HTTPServer(configuration)
        guard let address = IPAddress("127.0.0.1") else { return }
        try await server.start(on: [loop], addresses: [.tcp(address, port: 0)])
        self.server = server
        port = server.ports[0]
    }

    private func waitForRedis(_ server: PrivateRedis?) async throws {
        if server != nil {
            _ = try await redis.send(
                RedisCommand("PING"), timeout: .seconds(5), waitsForConnection: true)
        }
    }

    /// Management needs databases: `ManagementWorld` has them. Here nobody can sign in.
    private func nobody() throws -> IdentityServices {
        let nowhere = PostgresPool(
            try PostgresConfiguration(url: "postgresql://nobody@127.0.0.1:1/nothing"), on: loop)
        let redis = RedisClient(try RedisURL("redis://127.0.0.1:1"), on: loop)
        let vault = Vault(try MasterKeys(parsing: Secret(MasterKeys.newFile())))
        let audit = AuditLog(secret: [])
        let store = IdentityStore(
            nowhere, peppers: try KeyPeppers(parsing: Secret("1:\(String(repeating: "p", count: 32))")),
            vault: vault, audit: audit, settings: IdentityStore.Settings(publicURL: "http://127.0.0.1"))
        let throttle = LoginThrottle(redis)
        let signingKeys = SigningKeys(issuer: "http://127.0.0.1", audience: "http://127.0.0.1")
        return IdentityServices(
            store: store, signIn: SignIn(on: loop, store, passwords: passwords, throttle: throttle),
            passwords: passwords, throttle: throttle,
            tokens: SessionTokens(signingKeys, SigningKeyStore(nowhere, vault, audit), store),
            singleSignOn: SingleSignOn(store, SSOProviders(client, OutboundPolicy()), secret: []),
            publicURL: "http://127.0.0.1", announce: { _ in })
    }

    /// A key whose caller is as said.
    func key(
        scopes: KeyScopes = .inference, models: AllowedModels? = nil, of organization: UUID = .make(),
        limits: String? = nil, terms: OrganizationTerms? = nil
    ) -> String {
        let key = APIKey.make()
        callers[peppers.digest(of: key).digest] = Caller(
            organization: organization, user: .make(), role: .member, key: .make(), scopes: scopes,
            allowedModels: models, limits: limits.map { Array($0.utf8) }, terms: terms)
        // As Redis has it of those whose keys were changed before; ahead of whatever is asked next.
        var generation = RedisCommand("HSET")
        generation.add(OrganizationKeys.state(of: organization))
        generation.add("g")
        generation.add(0)
        redis.pipeline([generation]) { _ in }
        return key.secret.reveal()
    }

    /// No key is anybody's any more.
    func revokeAll() { callers = [:] }

    func send(
        _ method: String = "GET", _ path: String, _ fields: [(name: String, value: String)] = [],
        body: String? = nil
    ) async throws -> Answer {
        let request = HTTPClientRequest(
            method, url: "http://127.0.0.1:\(port)\(path)", fields: fields,
            body: body.map { .bytes(Array($0.utf8)) } ?? .none)
        return try await client.withResponse(request) { response in
            Answer(
                status: response.status, fields: response.fields,
                body: try await response.body(limit: 10_000_000))
        }
    }

    /// Redis as a whole, as after a crash without a copy on disk.
    func flushRedis() async throws { _ = try await redis.send(RedisCommand("FLUSHALL")) }

    /// Cuts every answer that is kept in half.
    func damageEntries() async throws {
        let names = try await redis.send(RedisCommand("KEYS", "hg:*:c:*")).array ?? []
        for name in names.compactMap(\.bytes) {
            let entry = try await redis.send(RedisCommand("GET", .bytes(name))).bytes ?? []
            _ = try await redis.send(
                RedisCommand("SET", .bytes(name), .bytes(Array(entry.prefix(entry.count / 2)))))
        }
    }

    /// All answers that are kept, as when their time is over.
    func removeEntries() async throws {
        for name in try await redis.send(RedisCommand("KEYS", "hg:*:c:*")).array ?? [] {
            _ = try await redis.send(RedisCommand("DEL", .bytes(name.bytes ?? [])))
        }
    }

    /// Those that are compared with.
    func questionCount() async throws -> Int {
        var count = 0
        for name in try await redis.send(RedisCommand("KEYS", "hg:*:cv:*")).array ?? [] {
            count += try await redis.send(RedisCommand("ZCARD", .bytes(name.bytes ?? []))).integer ?? 0
        }
        return count
    }

    func purge(_ organization: UUID) async throws {
        _ = try await CacheStore(redis).purge(.all, of: organization)
    }

    func complete(_ model: String, key: String, _ more: String = "") async throws -> Answer {
        let body = #"{"model":"\#(model)","messages":[{"role":"user","content":"hi"}]\#(more)}"#
        return try await send(
            "POST", "/v1/chat/completions", [("Authorization", "Bearer \(key)")], body: body)
    }
}
