import Base
import Identity
import Ledger
import Postgres
import TestKit
import Testing

@testable import Billing

struct StripeWebhookTests {
    /// What happens at Stripe: an object becomes something, and a webhook says that it has become something else.
    private struct Happening {
        var event: String
        var kind: String
        var object: String
        /// What is fetched from then on, by its path.
        var changes: [String: String]
    }

    private static func intent(_ id: String, _ status: String, _ cents: Int, invoice: String = "null")
        -> Happening
    {
        let received = status == "succeeded" ? cents : 0
        return Happening(
            event: "payment_intent.\(status)", kind: "payment_intent", object: id,
            changes: [
                "/v1/payment_intents/\(id)":
                    #"{"id":"\#(id)","object":"payment_intent","status":"\#(status)","amount":\#(cents),"currency":"usd","amount_received":\#(received),"customer":"cus_acme","invoice":\#(invoice),"created":1800000000,"metadata":{}}"#,
                "/v1/charges/ch_\(id)":
                    #"{"id":"ch_\#(id)","object":"charge","customer":"cus_acme","payment_intent":"\#(id)"}"#,
            ])
    }

    private static func refunds(of id: String, _ cents: [(Int, String)]) -> Happening {
        let list = cents.enumerated().map { place, refund in
            #"{"id":"re_\#(id)_\#(place)","object":"refund","status":"\#(refund.1)","amount":\#(refund.0),"currency":"usd","payment_intent":"\#(id)","created":1800000000,"metadata":{}}"#
        }
        return Happening(
            event: "charge.refunded", kind: "charge", object: "ch_\(id)",
            changes: [
                "/v1/refunds":
                    #"{"object":"list","has_more":false,"data":[\#(list.joined(separator: ","))]}"#
            ])
    }

    private static func dispute(of id: String, _ status: String, _ cents: Int) -> Happening {
        Happening(
            event: "charge.dispute.updated", kind: "dispute", object: "dp_\(id)",
            changes: [
                "/v1/disputes/dp_\(id)":
                    #"{"id":"dp_\#(id)","object":"dispute","status":"\#(status)","amount":\#(cents),"currency":"usd","payment_intent":"\#(id)","charge":"ch_\#(id)"}"#
            ])
    }

    private static func subscription(_ status: String, _ plan: String, _ cents: Int, ended: Bool = false)
        -> Happening
    {
        let end = ended ? "1800100000" : "null"
        return Happening(
            event: ended ? "customer.subscription.deleted" : "customer.subscription.updated",
            kind: "subscription", object: "sub_1",
            changes: [
                "/v1/subscriptions/sub_1":
                    #"{"id":"sub_1","object":"subscription","status":"\#(status)","customer":"cus_acme","items":{"data":[{"id":"si_1","object":"subscription_item","quantity":1,"plan":{"id":"hivegate-\#(plan)","object":"plan","amount":\#(cents),"currency":"usd","interval":"month","interval_count":1,"active":true,"metadata":{"plan":"\#(plan)","title":"\#(plan)"}}}]},"current_period_start":1800000000,"current_period_end":1802592000,"cancel_at_period_end":false,"ended_at":\#(end),"canceled_at":\#(end),"latest_invoice":"in_1","created":1800000000,"metadata":{}}"#
            ])
    }

    private static func invoice(_ status: String, _ cents: Int, attempts: Int) -> Happening {
        let paid = status == "paid" ? cents : 0
        return Happening(
            event: status == "paid" ? "invoice.payment_succeeded" : "invoice.payment_failed", kind: "invoice",
            object: "in_1",
            changes: [
                "/v1/invoices/in_1":
                    #"{"id":"in_1","object":"invoice","status":"\#(status)","customer":"cus_acme","subscription":"sub_1","payment_intent":"pi_3","total":\#(cents),"amount_due":\#(cents),"amount_paid":\#(paid),"currency":"usd","attempt_count":\#(attempts),"created":1800000000}"#
            ])
    }

    private static let history = [
        subscription("incomplete", "starter", 1000), invoice("open", 1000, attempts: 1),
        intent("pi_1", "processing", 2500), intent("pi_2", "requires_action", 700),
        intent("pi_1", "succeeded", 2500), intent("pi_3", "succeeded", 1000, invoice: #""in_1""#),
        invoice("paid", 1000, attempts: 2), subscription("active", "starter", 1000),
        intent("pi_2", "canceled", 700), refunds(of: "pi_1", [(400, "succeeded")]),
        subscription("past_due", "starter", 1000), dispute(of: "pi_1", "needs_response", 2500),
        subscription("active", "pro", 2999), refunds(of: "pi_1", [(400, "succeeded"), (300, "succeeded")]),
        dispute(of: "pi_1", "won", 2500),
        Happening(event: "customer.updated", kind: "customer", object: "cus_acme", changes: [:]),
    ]

    /// Delivers in an order of `chance`'s; nil: each once, as it happens.
    private static func play(_ chance: SeededGenerator?) async throws -> [String] {
        let result = Locked<[String]>([])
        try await StripeWorld.run { world in
            var chance = chance
            try await world.begin("pi_1", cents: 2500)
            try await world.begin("pi_2", cents: 700)
            var waiting: [Int] = []
            func deliver(_ place: Int) async throws {
                let one = history[place]
                try await world.tell("evt_\(place)", one.event, about: one.kind, one.object)
            }
            for (place, happening) in history.enumerated() {
                world.world.now = world.world.now + .seconds(1)
                world.objects.merge(happening.changes) { _, new in new }
                guard chance != nil else {
                    try await deliver(place)
                    try await world.stripe.handleEvents()
                    continue
                }
                waiting += [Int](repeating: place, count: Int.random(in: 1...3, using: &chance!))
                waiting.shuffle(using: &chance!)
                for _ in 0..<Int.random(in: 0...2, using: &chance!) where !waiting.isEmpty {
                    try await deliver(waiting.removeLast())
                }
                if Bool.random(using: &chance!) { try await world.stripe.handleEvents() }
            }
            for place in waiting { try await deliver(place) }
            // What went wrong because something was not there yet is tried again.
            for _ in 0..<4 {
                try await world.stripe.handleEvents()
                world.world.now = world.world.now + .seconds(3600)
            }
            let open = try await world.world.owner.query(
                "SELECT id || ' ' || coalesce(error, '') FROM stripe_events WHERE handled_at IS NULL"
            ).decode(String.self)
            #expect(open.isEmpty, "\(open)")
            let found = try await world.fingerprint()
            result.withLock { $0 = found }
        }
        return result.withLock { $0 }
    }

    @Test func `webhooks in any order, twice and late, come to the same as one after the other`() async throws
    {
        let expected = try await Self.play(nil)
        #expect(expected.contains("payment pi_1 succeeded") && expected.contains("payment pi_2 canceled"))
        #expect(expected.contains("account wallet 18000000000") && expected.contains("plan pro"))
        #expect(expected.contains("invoice 1000 1000 paid"))
        for _ in 0..<6 {
            let seed = UInt64.random(in: 0...UInt64.max)
            let found = try await Self.play(SeededGenerator(seed: seed))
            #expect(found == expected, "seed \(seed)")
        }
    }

    @Test func `what is not signed, or long ago, is refused and leaves nothing behind`() async throws {
        try await StripeWorld.run { world in
            let body = #"{"id":"evt_1","object":"event","type":"payment_intent.succeeded"}"#
            let now = world.world.now.seconds
            for signature in [
                nil, "", "t=\(now)", world.signature(of: body, at: now - 301),
                world.signature(of: body, at: now, secret: "whsec_another"),
                world.signature(of: body + " ", at: now),
            ] {
                let code = try await problem {
                    try await world.stripe.take(Array(body.utf8), signature: signature)
                }
                #expect(code == "invalid_signature")
            }
            let count = try await world.world.owner.query("SELECT count(*) FROM stripe_events")[0]
                .decode(Int64.self)
            #expect(count == 0)
        }
    }

    @Test func `what cannot be looked at is tried again later and later, and given up in the end`()
        async throws
    {
        try await StripeWorld.run { world in
            world.objects["/v1/payment_intents/pi_1"] = #"{"object":"something else"}"#
            try await world.tell("evt_1", "payment_intent.succeeded", about: "payment_intent", "pi_1")
            for _ in 0..<StripeBilling.mostAttempts {
                try await world.stripe.handleEvents()
                // Not before it is due.
                try await world.stripe.handleEvents()
                world.world.now = world.world.now + .seconds(3600)
            }
            let (attempts, outcome) = try await world.world.owner.query(
                "SELECT attempts, outcome FROM stripe_events")[0].decode((Int32, String?).self)
            #expect(attempts == StripeBilling.mostAttempts && outcome == "given_up")
            #expect(
                StripeBilling.pause(after: 1) == .seconds(10)
                    && StripeBilling.pause(after: 30) == .seconds(3600))
        }
    }

    @Test func `what is taken back and spent already is owed, and the next that comes in pays it`()
        async throws
    {
        try await StripeWorld.run { stripe in
            let (world, acme) = (stripe.world, stripe.acme)
            let wallets = WalletStore(world.pool, identity: world.identity)
            _ = try await wallets.topUp(acme, by: 10_000_000_000, reference: "pi_1", by: .system)
            let taken = try await wallets.takeBack(
                acme, by: 14_000_000_000, through: .disputes, "dispute", reference: "dp_1")
            #expect(taken.balance.wallet == 0 && taken.balance.receivable == -4_000_000_000)
            #expect(taken.balance.free == 0 && taken.balance.overspent == 4_000_000_000)
            #expect(
                try await problem {
                    _ = try await wallets.takeBack(
                        acme, by: 14_000_000_000, through: .disputes, "dispute", reference: "dp_1")
                } == "booked_already")
            let filled = try await wallets.topUp(acme, by: 5_000_000_000, reference: "pi_2", by: .system)
            #expect(filled.balance.wallet == 1_000_000_000 && filled.balance.receivable == 0)
            #expect(filled.balance.free == 1_000_000_000 && filled.balance.overspent == 0)
            let won = try await wallets.giveBack(
                acme, by: 14_000_000_000, through: .disputes, "dispute_won", reference: "dp_1")
            #expect(won.balance.wallet == 15_000_000_000 && won.balance.free == 15_000_000_000)
            #expect(try await world.balance("disputes", of: acme) == 0)
        }
    }

    @Test func `an invoice for what was overspent lets the wallet pay again when it is paid, and once`()
        async throws
    {
        try await StripeWorld.run { stripe in
            let (world, acme) = (stripe.world, stripe.acme)
            let wallets = WalletStore(world.pool, identity: world.identity)
            _ = try await wallets.topUp(acme, by: 1_000_000_000, reference: "a", by: .system)
            _ = try await wallets.takeBack(
                acme, by: 3_000_000_000, through: .refunds, "stripe_refund", reference: "re_1")
            let invoice = try #require(try await world.store.invoiceUsage(of: acme))
            #expect(invoice.totalCents == 200)
            // What an invoice asks for is left to it.
            let filled = try await wallets.topUp(acme, by: 5_000_000_000, reference: "b", by: .system)
            #expect(filled.balance.wallet == 5_000_000_000 && filled.balance.free == 3_000_000_000)
            _ = try await world.pay(invoice)
            let settled = try await wallets.balance(of: acme)
            #expect(settled.wallet == 5_000_000_000 && settled.free == 5_000_000_000)
            #expect(settled.receivable == 0 && settled.overspent == 0)
        }
    }
}
