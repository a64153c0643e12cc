import Admission
import Base
import Identity
import JSON
import Loop
import Postgres
import TestKit
import Testing

@testable import Budgets

/// Who is told what, and how often.
struct BudgetAlertTests {
    /// What a receiver of webhooks was sent.
    private struct Sent: Sendable {
        var head: String
        var body: [UInt8]

        func field(_ name: String) -> String? {
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("\(name.lowercased()): ") }.map {
                String($0.dropFirst(name.count + 2))
            }
        }
    }

    /// A receiver that answers with one status after the other, and then with 200.
    private static func receiver(
        _ world: BudgetWorld, _ sent: Locked<[Sent]>, answering statuses: [Int] = []
    ) throws -> ScriptedUpstream {
        let left = Locked(statuses)
        return try ScriptedUpstream(on: world.loop) { peer in
            while let head = try await peer.head() {
                let length = head.split(separator: "\r\n").compactMap { line in
                    line.lowercased().hasPrefix("content-length: ") ? Int(line.dropFirst(16)) : nil
                }
                guard let body = try await peer.read(length.first ?? 0) else { return }
                sent.withLock { $0.append(Sent(head: head, body: body)) }
                let status = left.withLock { $0.isEmpty ? 200 : $0.removeFirst() }
                try await peer.write("HTTP/1.1 \(status) OK\r\nContent-Length: 0\r\n\r\n")
            }
        }
    }

    private static func mails(_ world: BudgetWorld) async throws -> [String] {
        try await world.identity.unsentMails(to: "ops@example.com").map(\.subject)
    }

    @Test func `each threshold is told once in each window, and of several at once only the highest`()
        async throws
    {
        try await BudgetWorld.run { world in
            let made = try await world.create(100 * dollar, each: .day) { $0.emails = ["ops@example.com"] }
            let limit = try #require(made.standing.window).id
            let watch = world.watch()
            func told() async throws -> [String] {
                try await watch.run()
                return try await Self.mails(world)
            }
            #expect(try await told() == [])
            try await world.spend(49 * dollar, paidBy: [limit])
            #expect(try await told() == [])
            try await world.spend(1 * dollar, paidBy: [limit])
            #expect(try await told() == ["A budget has reached 50 %"])
            #expect(try await told().count == 1)
            // Past 80 and 95 at once.
            try await world.spend(46 * dollar, paidBy: [limit])
            #expect(try await told() == ["A budget has reached 50 %", "A budget has reached 95 %"])
            // Raised and spent again: it was told.
            _ = try await world.store.change(
                made.standing.budget.id, of: world.organization,
                BudgetPatch { $0.nanodollars = 150 * dollar },
                by: .command)
            try await world.spend(30 * dollar, paidBy: [limit])
            #expect(try await told().count == 2)
            try await world.spend(100 * dollar, paidBy: [limit])
            #expect(try await told().count == 3)
            // A lower one that is added later was passed before.
            _ = try await world.store.change(
                made.standing.budget.id, of: world.organization,
                BudgetPatch { $0.thresholds = [30, 50, 80, 95, 100] }, by: .command)
            #expect(try await told().count == 3)
            world.now = world.now + .seconds(86_400)
            try await watch.run()
            let next = try #require(try await world.window(made.standing.budget.id)).id
            #expect(next != limit)
            try await world.spend(40 * dollar + 5 * dollar, paidBy: [next])
            #expect(try await told().last == "A budget has reached 30 %")
            let metrics = String(decoding: world.metrics.render(), as: UTF8.self)
            #expect(metrics.contains(#"hivegate_budget_alerts_total{outcome="told"} 4"#))
            #expect(metrics.contains(#"hivegate_budgets{state="warned"} 1"#))
        }
    }

    @Test func `two who watch at the same time, and one that dies in between, tell once`() async throws {
        try await BudgetWorld.run { world in
            var limits: [UUID] = []
            for _ in 0..<20 {
                let made = try await world.create(10 * dollar) { $0.emails = ["ops@example.com"] }
                limits.append(try #require(made.standing.window).id)
            }
            try await world.spend(9 * dollar, paidBy: limits)
            // One that does not get to its mails has told nobody, and has not said so.
            _ = try await world.owner.query("REVOKE INSERT ON mail_outbox FROM hivegate_app")
            await #expect(throws: PostgresError.self) { try await world.watch().run() }
            #expect(try await world.number("SELECT count(*) FROM budget_alerts") == 0)
            _ = try await world.owner.query("GRANT INSERT ON mail_outbox TO hivegate_app")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 { group.addTask { try await world.watch().run() } }
                try await group.waitForAll()
            }
            try await world.watch().run()
            #expect(try await Self.mails(world) == Array(repeating: "A budget has reached 80 %", count: 20))
            #expect(try await world.number("SELECT count(*) FROM budget_alerts") == 40)
            #expect(try await world.number("SELECT count(*) FROM budget_alerts WHERE is_told") == 20)
        }
    }

    @Test func `a webhook is signed, says which event it is, and comes again until it is taken`() async throws
    {
        try await BudgetWorld.run { world in
            let sent = Locked<[Sent]>([])
            let receiver = try Self.receiver(world, sent, answering: [500, 302])
            defer { receiver.close() }
            let made = try await world.create(10 * dollar) { $0.webhookURL = "\(receiver.url)/alerts" }
            let secret = try #require(made.webhookSecret)
            let limit = try #require(made.standing.window).id
            try await world.spend(10 * dollar, paidBy: [limit])
            try await world.watch().run()
            // One that dies with it leaves it to others.
            #expect(try await world.store.takeWebhooks(atMost: 10, for: BudgetWebhooks.lease).count == 1)
            try await world.watch().deliver()
            #expect(sent.withLock { $0.isEmpty })
            world.now = world.now + BudgetWebhooks.lease
            for expected in 1...3 {
                try await world.watch().deliver()
                try await world.watch().deliver()
                #expect(sent.withLock { $0.count } == expected)
                world.now = world.now + .seconds(60)
            }
            try await world.watch().deliver()
            let requests = sent.withLock { $0 }
            #expect(requests.count == 3)
            #expect(Set(requests.map(\.body)).count == 1)
            for request in requests {
                let document = try JSONDocument(parsing: request.body)
                #expect(document["type"]?.string == "budget.threshold_reached")
                #expect(document["threshold"]?.int == 100)
                #expect(document["spent"]?["usd"]?.string == "10")
                #expect(document["budget"]?["id"]?.string == made.standing.budget.id.description)
                #expect(request.field("hivegate-event") == document["id"]?.string)
                let signature = try #require(request.field("hivegate-signature"))
                let time = try #require(signature.split(separator: ",").first?.dropFirst(2))
                var code: [UInt8] = []
                code.append(
                    hex: KeyedDigest(key: Array(secret.reveal().utf8)).hmacSHA256(
                        of: Array("\(time).".utf8) + request.body))
                #expect(signature == "t=\(time),v1=\(String(decoding: code, as: UTF8.self))")
            }
            #expect(
                try await world.number("SELECT count(*) FROM budget_alerts WHERE delivered_at IS NOT NULL")
                    == 1)
            let metrics = String(decoding: world.metrics.render(), as: UTF8.self)
            #expect(metrics.contains(#"hivegate_budget_alerts_total{outcome="failed"} 2"#))
            let found = try await world.store.budget(made.standing.budget.id, of: world.organization).budget
            #expect(found.webhookURL == "\(receiver.url)/alerts")
        }
    }

    @Test func `nobody is made to call private networks, and what nobody takes is given up`() async throws {
        try await BudgetWorld.run { world in
            let sent = Locked<[Sent]>([])
            let receiver = try Self.receiver(world, sent)
            defer { receiver.close() }
            let made = try await world.create(10 * dollar) { $0.webhookURL = receiver.url }
            try await world.spend(10 * dollar, paidBy: [try #require(made.standing.window).id])
            try await world.watch().run()
            let webhooks = BudgetWebhooks(world.store, world.client, OutboundPolicy())
            var failures = 0
            for _ in 0..<(BudgetWebhooks.mostAttempts + 5) {
                failures += try await webhooks.deliver()
                world.now = world.now + .seconds(3600)
            }
            #expect(failures == BudgetWebhooks.mostAttempts)
            #expect(sent.withLock { $0.isEmpty })
            #expect(
                try await world.number("SELECT count(*) FROM budget_alerts WHERE given_up_at IS NOT NULL")
                    == 1)
            // One whose webhook was taken away has nowhere to go.
            let other = try await world.create(10 * dollar) { $0.webhookURL = receiver.url }
            try await world.watch().run()
            _ = try await world.store.change(
                other.standing.budget.id, of: world.organization, BudgetPatch { $0.webhookURL = .some(nil) },
                by: .command)
            #expect(try await world.webhooks.deliver() == 0)
            #expect(sent.withLock { $0.isEmpty })
        }
    }
}
