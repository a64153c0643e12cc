import Base
import Identity
import Postgres
import Stripe
import TestKit
import Testing

@testable import Billing

/// Use that organizations owe beside what Stripe invoices.
struct StripeCollectionTests {
    /// A subscription of Stripe's in a period, and a card.
    private static func subscribe(_ world: StripeWorld, from start: Int, to end: Int) async throws {
        world.objects["/v1/subscriptions/sub_1"] =
            #"{"id":"sub_1","object":"subscription","status":"active","customer":"cus_acme","items":{"data":[{"id":"si_1","object":"subscription_item","quantity":1,"plan":{"id":"hivegate-starter","object":"plan","amount":1000,"currency":"usd","interval":"month","interval_count":1,"active":true,"metadata":{"plan":"starter","title":"Starter"}}}]},"current_period_start":\#(start),"current_period_end":\#(end),"cancel_at_period_end":false,"ended_at":null,"canceled_at":null,"latest_invoice":null,"created":1800000000,"metadata":{}}"#
        world.objects["/v1/customers/cus_acme"] =
            #"{"id":"cus_acme","object":"customer","invoice_settings":{"default_payment_method":"pm_1"},"metadata":{}}"#
        world.objects["/v1/payment_methods"] =
            #"{"object":"list","has_more":false,"data":[{"id":"pm_1","object":"payment_method","type":"card","customer":"cus_acme","card":{"brand":"visa","last4":"4242","exp_month":1,"exp_year":2030}}]}"#
        world.world.now = world.world.now + .seconds(1)
        _ = try await world.stripe.follow("sub_1")
    }

    private static func intent(_ status: String, _ cents: Int) -> String {
        let received = status == "succeeded" ? cents : 0
        return
            #"{"id":"pi_1","object":"payment_intent","status":"\#(status)","amount":\#(cents),"currency":"usd","amount_received":\#(received),"customer":"cus_acme","invoice":null,"created":1800000000,"metadata":{}}"#
    }

    /// A period in which this was used is over.
    private static func pass(_ world: StripeWorld, using nanodollars: Int64) async throws {
        try await subscribe(world, from: 1_800_000_000, to: 1_802_678_400)
        _ = try await world.stripe.methods(of: world.acme)
        try await world.world.use(world.acme, usage: nanodollars)
        try await subscribe(world, from: 1_802_678_400, to: 1_805_097_600)
    }

    @Test func `what was used in a period is invoiced and charged when it is over, once`() async throws {
        try await StripeWorld.run { world in
            try await Self.pass(world, using: 25_009_000_000)
            let invoices = try await world.world.invoices(of: world.acme)
            #expect(invoices.map(\.totalCents) == [2500] && invoices.allSatisfy { $0.status == .open })
            world.objects["/v1/payment_intents"] = Self.intent("succeeded", 2500)
            for _ in 0..<2 { #expect(try await world.stripe.collectInvoices().isEmpty) }
            #expect(world.asked.filter { $0 == "POST /v1/payment_intents" }.count == 1)
            let paid = try await world.world.invoices(of: world.acme)
            #expect(paid.map(\.status) == [.paid])
            #expect(try await world.world.owedCents(by: world.acme) == 0)
        }
    }

    @Test func `what is not worth a charge waits for the next period`() async throws {
        try await StripeWorld.run { world in
            try await Self.pass(world, using: 990_000_000)
            #expect(try await world.world.invoices(of: world.acme).isEmpty)
            try await world.world.use(world.acme, usage: 20_000_000)
            try await Self.subscribe(world, from: 1_805_097_600, to: 1_807_776_000)
            #expect(try await world.world.invoices(of: world.acme).map(\.totalCents) == [101])
        }
    }

    @Test func `a card that is declined is charged again days later, and its owner is told each time`()
        async throws
    {
        try await StripeWorld.run { world in
            try await Self.pass(world, using: 25_000_000_000)
            world.objects["/v1/payment_intents"] =
                #"{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","message":"Your card has insufficient funds."}}"#
            world.failing["/v1/payment_intents"] = 402
            func charges() -> Int { world.asked.filter { $0 == "POST /v1/payment_intents" }.count }
            for day in 0..<30 {
                let before = charges()
                let failures = try await world.stripe.collectInvoices()
                #expect(failures.count == charges() - before, "day \(day)")
                world.world.pass(days: 1)
            }
            #expect(charges() == 5)
            let mails = try await world.world.owner.query("SELECT count(*) FROM mail_outbox")[0]
                .decode(Int64.self)
            #expect(mails == 5)
        }
    }

    @Test func `a meter hears of each cent once, though a report was cut off`() async throws {
        try await StripeWorld.run { world in
            try await world.world.use(world.acme, usage: 25_009_000_000, commission: 5_000_000_000)
            func report() async throws -> Int { try await world.stripe.report(to: "hivegate_usage").count }
            func known() async throws -> Int64 {
                try await world.world.owner.query("SELECT reported_cents FROM stripe_reports")[0].decode(
                    Int64.self)
            }
            #expect(try await report() == 1, "Stripe does not answer")
            #expect(try await known() == 0)
            try await world.world.use(world.acme, usage: 1_000_000_000)
            let name = try await world.world.owner.query("SELECT underway_id FROM stripe_reports")[0].decode(
                UUID.self)
            world.objects["/v1/billing/meter_events"] =
                #"{"object":"billing.meter_event","event_name":"hivegate_usage","identifier":"\#(name)"}"#
            #expect(try await report() == 0)
            #expect(try await known() == 3000)
            #expect(try await report() == 0)
            #expect(try await known() == 3100)
            let count = world.asked.count
            #expect(try await report() == 0)
            #expect(world.asked.count == count)
        }
    }
}
