import Base
import HTTPClient
import Identity
import Loop
import Postgres
import Stripe
import TestKit

@testable import Billing

/// Organizations that pay by a Stripe whose objects are as a test says.
// Confined to its loop.
final class StripeWorld: @unchecked Sendable {
    static let secret = "whsec_of_the_tests"

    let world: BillingWorld
    let acme: UUID
    let stripe: StripeBilling
    /// What is fetched, by its path.
    var objects: [String: String] = [:]
    /// With which status, where that is not 200.
    var failing: [String: Int] = [:]
    /// What was asked: `GET /v1/…`.
    private(set) var asked: [String] = []
    private var upstream: ScriptedUpstream?

    private init(_ world: BillingWorld, _ acme: UUID, on loop: EventLoop) throws {
        self.world = world
        self.acme = acme
        let box = Box()
        let upstream = try ScriptedUpstream(on: loop) { peer in
            while let head = try await peer.head() {
                let words = head.split(separator: " ")
                let path = String(words[1].split(separator: "?")[0])
                let body = box.world?.answer(String(words[0]), path)
                let text = body ?? #"{"error":{"type":"invalid_request_error"}}"#
                try await peer.write(
                    "HTTP/1.1 \(body == nil ? 404 : box.world?.failing[path] ?? 200) OK\r\n"
                        + "Content-Length: \(text.utf8.count)\r\nConnection: close\r\n\r\n\(text)")
                return
            }
        }
        self.upstream = upstream
        let client = StripeClient(
            StripeConfiguration(secretKey: Secret("sk_test_ours"), baseURL: upstream.url),
            HTTPClient(on: loop),
            on: loop)
        stripe = StripeBilling(
            world.store, wallets: WalletStore(world.pool, identity: world.identity), stripe: client,
            webhookSecrets: [Secret(Self.secret)], counters: StripeCounters(in: Metrics()), announce: { _ in }
        )
        box.world = self
    }

    private func answer(_ method: String, _ path: String) -> String? {
        asked.append("\(method) \(path)")
        return objects[path]
    }

    private final class Box: @unchecked Sendable {
        weak var world: StripeWorld?
    }

    static func run(_ body: @escaping @Sendable (StripeWorld) async throws -> Void) async throws {
        try await BillingWorld.run { world in
            let acme = try await world.makeOrganization("acme")
            try await world.asSystem(
                """
                INSERT INTO stripe_customers (org_id, key, name, stripe_id, begun_at)
                VALUES (\(acme), \(UUID.make()), 'acme', 'cus_acme', \(world.now))
                """)
            let made = try StripeWorld(world, acme, on: world.pool.loop)
            defer { made.upstream?.close() }
            try await body(made)
        }
    }

    /// A payment that was begun.
    func begin(_ id: String, cents: Int64) async throws {
        try await world.asSystem(
            """
            INSERT INTO stripe_payments (id, org_id, kind, cents, stripe_id, status, created_at)
            VALUES (\(UUID.make(at: world.now)), \(acme), 'top_up', \(cents), \(id), 'requires_payment_method', \(world.now))
            """)
    }

    /// A webhook as Stripe sends it.
    func tell(_ id: String, _ type: String, about kind: String, _ object: String) async throws {
        let body = """
            {"id":"\(id)","object":"event","type":"\(type)","created":\(world.now.seconds),"livemode":false,
            "data":{"object":{"id":"\(object)","object":"\(kind)"}}}
            """
        try await stripe.take(Array(body.utf8), signature: signature(of: body, at: world.now.seconds))
    }

    func signature(of body: String, at seconds: Int64, secret: String = secret) -> String {
        let digest = KeyedDigest(key: Array(secret.utf8)).hmacSHA256(of: Array("\(seconds).\(body)".utf8))
        var text: [UInt8] = []
        text.append(hex: digest)
        return "t=\(seconds),v1=\(String(decoding: text, as: UTF8.self))"
    }

    /// All that a customer would notice, and the books.
    func fingerprint() async throws -> [String] {
        try await world.owner.query(
            """
            SELECT 'account ' || kind || ' ' || balance_nano FROM ledger_accounts WHERE balance_nano <> 0
            UNION ALL SELECT 'payment ' || stripe_id || ' ' || status FROM stripe_payments
            UNION ALL SELECT 'invoice ' || total_cents || ' ' || paid_cents || ' ' || status FROM invoices
            UNION ALL SELECT 'subscription ' || stripe_id || ' ' || status || ' ' || plan FROM subscriptions
            UNION ALL SELECT 'plan ' || plan FROM organizations
            UNION ALL SELECT 'cap ' || cap_nano FROM money_limits
            ORDER BY 1
            """
        ).decode(String.self)
    }
}

extension BillingWorld {
    func asSystem(_ statement: SQL) async throws {
        _ = try await owner.query("SELECT set_config('app.system', 'on', false)")
        try await owner.execute(statement)
        _ = try await owner.query("SELECT set_config('app.system', '', false)")
    }
}
