import Base
import Glibc
import HTTPClient
import JSON
import Loop
import TestKit
import Testing

@testable import Stripe

/// localstripe, and the proxy that adds what it lacks and goes wrong as told (`Tests/Peers/stripe_proxy.py`).
// Confined to its loop.
final class LocalStripe: @unchecked Sendable {
    /// `make test` puts it there; without it, its tests are left out.
    static var isThere: Bool { Files.exists("\(programs)/localstripe") }

    private static let programs = "\(Project.root)/.venv/bin"
    private static let startLimit = Duration.seconds(60)

    let client: StripeClient
    private let http: HTTPClient
    private let url: String
    private let directory: String
    private let processes: [ServerProcess]

    init(on loop: EventLoop) async throws {
        let (port, localStripePort) = (freePort(), freePort())
        url = "http://127.0.0.1:\(port)"
        directory = TemporaryDirectory.make("stripe")
        let log = "\(directory)/log"
        processes = [
            ["start_localstripe.py", "--port", "\(localStripePort)", "--from-scratch"],
            ["stripe_proxy.py", "\(port)", "\(localStripePort)"],
        ].map { command in
            let script = "\(Project.root)/Tests/Peers/\(command[0])"
            return ServerProcess(
                ["\(Self.programs)/python", script] + command.dropFirst(), user: "root",
                deathSignal: "KILL", log: log)
        }
        http = HTTPClient(on: loop)
        client = Self.client(at: url, http, on: loop)
        try await waitFor("\(url)/_proxy/requests", on: loop)
        try await waitFor("http://127.0.0.1:\(localStripePort)/v1/events", on: loop)
    }

    /// One as after a restart: it remembers nothing.
    func anotherClient(on loop: EventLoop) -> StripeClient {
        Self.client(at: url, HTTPClient(on: loop), on: loop)
    }

    private static func client(at url: String, _ http: HTTPClient, on loop: EventLoop) -> StripeClient {
        var configuration = StripeConfiguration(secretKey: Secret("sk_test_ours"), baseURL: url)
        configuration.retry.firstPause = .milliseconds(5)
        return StripeClient(configuration, http, on: loop)
    }

    private func waitFor(_ url: String, on loop: EventLoop) async throws {
        let deadline = Instant.now() + Self.startLimit
        while true {
            do {
                return try await http.withResponse(HTTPClientRequest(url: url)) { await $0.discardRest() }
            } catch {
                guard Instant.now() < deadline else { throw error }
                try await loop.sleep(for: .milliseconds(50))
            }
        }
    }

    func stop() {
        for process in processes {
            process.send(signal: SIGKILL)
            process.waitForEnd()
        }
        TemporaryDirectory.remove(directory)
    }

    // MARK: What the proxy is told and asked

    func order(_ name: String, _ json: String) async throws {
        let request = HTTPClientRequest("POST", url: "\(url)/_proxy/\(name)", body: .bytes(Array(json.utf8)))
        let status = try await http.withResponse(request) { response in
            await response.discardRest()
            return response.status
        }
        #expect(status == 200, "the proxy does not understand \(name)")
    }

    /// What came to `path`, and whether each was done there.
    func requests(_ path: String) async throws -> [(key: String?, wasDone: Bool)] {
        let body = try await http.withResponse(HTTPClientRequest(url: "\(url)/_proxy/requests")) {
            try await $0.body(limit: 10_000_000)
        }
        return try JSONDocument(parsing: body).root.elements.compactMap { request in
            guard request["path"]?.string == path, let wasDone = request["was_done"]?.bool else { return nil }
            return (request["key"]?.string, wasDone)
        }
    }

    /// What a browser does with the client secret of a setup intent. The card is Stripe's for tests.
    func confirmInBrowser(_ intent: StripeSetupIntent) async throws {
        let form: StripeForm = [
            "key": .text("pk_test_ours"), "client_secret": .text(try #require(intent.clientSecret).reveal()),
            "payment_method": .text("pm_card_visa"),
        ]
        let request = HTTPClientRequest(
            "POST", url: "\(url)/v1/setup_intents/\(intent.id)/confirm",
            fields: [("Content-Type", "application/x-www-form-urlencoded")],
            body: .bytes(Array(form.encoded.utf8)))
        let status = try await http.withResponse(request) { response in
            await response.discardRest()
            return response.status
        }
        #expect(status == 200)
    }

    /// A customer with a card that can be charged.
    func payingCustomer() async throws -> (customer: String, card: String) {
        let customer = try await client.createCustomer(
            email: "a@b.example", name: "Ada", metadata: ["org": "o1"], key: "customer")
        let card = try await client.attach("pm_card_visa", to: customer.id, key: "attach")
        let updated = try await client.setDefaultPaymentMethod(of: customer.id, to: card.id, key: "default")
        #expect(updated.defaultPaymentMethod == card.id)
        return (customer.id, card.id)
    }

    /// `starter` for 10 dollars a month, and `pro` for 29.99.
    func createPlans() async throws {
        _ = try await client.createProduct("house", name: "House", metadata: [:], key: "product")
        for (plan, cents) in [("starter", 1000), ("pro", 2999)] as [(String, Int64)] {
            _ = try await client.createPlan(
                plan, of: "house", StripeAmount(cents: cents), every: .month, metadata: ["tier": plan],
                key: "plan-\(plan)")
        }
    }
}

/// Runs `body` beside a Stripe of its own.
func withLocalStripe(_ body: @escaping @Sendable (LocalStripe, EventLoop) async throws -> Void) async throws {
    try await onLoop { loop in
        let stripe = try await LocalStripe(on: loop)
        defer { stripe.stop() }
        try await body(stripe, loop)
    }
}
