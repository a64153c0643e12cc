import Base
import Loop
import TestKit
import Testing

@testable import Stripe

/// Against localstripe, which keeps what it is told as Stripe does.
@Suite(.enabled(if: LocalStripe.isThere))
struct LocalStripeTests {
    @Test func `a customer subscribes, upgrades, leaves, comes back and goes for good`() async throws {
        try await withLocalStripe { stripe, _ in
            let client = stripe.client
            let (customer, _) = try await stripe.payingCustomer()
            try await stripe.createPlans()
            #expect(try await client.customer(customer).metadata == ["org": "o1"])
            #expect(try await client.product("house").name == "House")
            #expect(try await client.plan("pro").amount == StripeAmount(cents: 2999))

            let begun = try await client.createSubscription(
                of: customer, to: "starter", metadata: ["org": "o1"], key: "subscribe")
            #expect(begun.status == .active)
            #expect(begun.metadata == ["org": "o1"])
            #expect(begun.currentPeriodEnd > begun.currentPeriodStart)
            let first = try await client.invoice(try #require(begun.latestInvoice))
            #expect(first.status == .paid)
            #expect(first.amountPaid == StripeAmount(cents: 1000))
            #expect(first.subscription == begun.id)

            let upcoming = try await client.upcomingInvoice(of: customer, subscription: begun.id)
            #expect(upcoming.total.cents == 1000)
            let moment = begun.created
            let quoted = try await client.previewChange(
                of: customer, subscription: begun.id, item: begun.items[0].id, to: "pro", .invoicedNow,
                at: moment)
            #expect(quoted.lines.contains { $0.isProration && $0.amount.cents == -1000 })
            let upgraded = try await client.changePlan(
                of: begun.id, item: begun.items[0].id, to: "pro", .invoicedNow, at: moment, key: "upgrade")
            #expect(upgraded.items.map(\.plan.id) == ["pro"])
            let difference = try await client.invoice(try #require(upgraded.latestInvoice))
            #expect(difference.amountPaid == quoted.amountDue)
            #expect(difference.amountPaid.cents == 1999)

            let leaving = try await client.cancelAtPeriodEnd(begun.id, key: "leave")
            #expect(leaving.cancelsAtPeriodEnd)
            #expect(leaving.status == .active)
            let resumed = try await client.resume(begun.id, key: "resume")
            #expect(!resumed.cancelsAtPeriodEnd)

            let gone = try await client.cancelNow(begun.id)
            #expect(gone.status == .canceled)
            #expect(gone.canceledAt != nil)
            let stillGone = try await client.cancelNow(begun.id)
            #expect(stillGone.status == .canceled)
            #expect(try await client.subscription(begun.id).status == .canceled)
            let invoices = try await client.invoices(of: customer, subscription: begun.id)
            #expect(invoices.elements.map(\.amountPaid.cents).sorted() == [1000, 1999])
        }
    }

    @Test func `a trial costs nothing until it ends`() async throws {
        try await withLocalStripe { stripe, _ in
            let (customer, _) = try await stripe.payingCustomer()
            try await stripe.createPlans()
            let trial = try await stripe.client.createSubscription(
                of: customer, to: "pro", trialDays: 14, metadata: [:], key: "subscribe")
            #expect(trial.status == .trialing)
            #expect(trial.trialEnd == trial.created + .seconds(14 * 86_400))
            #expect(try await stripe.client.invoices(of: customer).elements.isEmpty)
        }
    }

    @Test func `a card is set up in the browser, and seen here by its last digits only`() async throws {
        try await withLocalStripe { stripe, _ in
            let client = stripe.client
            let customer = try await client.createCustomer(email: nil, name: nil, metadata: [:], key: "c").id
            let intent = try await client.createSetupIntent(for: customer, metadata: [:], key: "s")
            #expect(intent.status == .requiresPaymentMethod)
            try await stripe.confirmInBrowser(intent)
            let confirmed = try await client.setupIntent(intent.id)
            #expect(confirmed.status == .succeeded)

            let method = try #require(confirmed.paymentMethod)
            _ = try await client.attach(method, to: customer, key: "a")
            let cards = try await client.cards(of: customer)
            #expect(cards.elements.map(\.id) == [method])
            let card = StripePaymentMethod.Card(
                brand: "visa", lastFourDigits: "4242", expiryMonth: 12, expiryYear: 2030)
            #expect(cards.elements.first?.card == card)
            #expect(try await client.detach(method, key: "d").customer == nil)
            #expect(try await client.cards(of: customer).elements.isEmpty)
        }
    }

    @Test func `a payment is made, given back in part, and another is called off`() async throws {
        try await withLocalStripe { stripe, _ in
            let client = stripe.client
            let (customer, card) = try await stripe.payingCustomer()
            let amount = StripeAmount(cents: 2500)
            let open = try await client.createPaymentIntent(
                amount, of: customer, metadata: ["top_up": "t1"], key: "pay")
            #expect(open.status == .requiresPaymentMethod)
            #expect(open.received.cents == 0)
            #expect(open.clientSecret != nil)
            let paid = try await client.confirmPaymentIntent(open.id, with: card, key: "confirm")
            #expect(paid.status == .succeeded)
            #expect(paid.received == amount)
            #expect(paid.metadata == ["top_up": "t1"])

            let refund = try await client.refund(open.id, cents: 700, metadata: ["why": "x"], key: "refund")
            #expect(refund.status == .succeeded)
            #expect(refund.amount == StripeAmount(cents: 700))
            #expect(refund.paymentIntent == open.id)
            #expect(try await client.refunds(of: open.id).elements.map(\.id) == [refund.id])

            let other = try await client.createPaymentIntent(amount, of: customer, metadata: [:], key: "o")
            #expect(try await client.cancelPaymentIntent(other.id, key: "off").status == .canceled)
            #expect(try await client.paymentIntent(other.id).status == .canceled)
        }
    }

    @Test func `a card that is declined while nobody is there is told, and nothing is paid`() async throws {
        try await withLocalStripe { stripe, _ in
            let client = stripe.client
            let customer = try await client.createCustomer(email: nil, name: nil, metadata: [:], key: "c").id
            let card = try await client.attach("pm_card_chargeCustomerFail", to: customer, key: "a").id
            let error = await failure { () throws(StripeError) in
                try await client.createPaymentIntent(
                    StripeAmount(cents: 500), of: customer, with: card, isOffSession: true, metadata: [:],
                    key: "pay")
            }
            #expect(error?.kind == .card)
            #expect(error?.code == "card_declined")
            #expect(error?.customerMessage == "Your card was declined.")
            #expect(error?.isOutcomeUnknown == false)
        }
    }

    // MARK: Once

    static let faults = ["fail_before", "fail_after", "cut_before", "cut_after"]

    @Test(arguments: faults) func `whatever goes wrong on the way, a card is charged once`(fault: String)
        async throws
    {
        try await withLocalStripe { stripe, loop in
            let (customer, card) = try await stripe.payingCustomer()
            let path = "/v1/payment_intents"
            try await stripe.order(
                "faults", #"[{"what":"\#(fault)","count":2,"method":"POST","path":"^\#(path)$"}]"#)
            @Sendable func charge(_ client: StripeClient, key: String) async throws -> String {
                try await client.createPaymentIntent(
                    StripeAmount(cents: 2500), of: customer, with: card, isOffSession: true, metadata: [:],
                    key: key
                ).id
            }
            let charged = try await charge(stripe.client, key: "top-up-1")
            let requests = try await stripe.requests(path)
            #expect(requests.map(\.key) == ["top-up-1", "top-up-1", "top-up-1"])
            #expect(requests.filter(\.wasDone).count == 1)

            // After a crash the same is asked again, by somebody who knows of nothing but the key.
            #expect(try await charge(stripe.anotherClient(on: loop), key: "top-up-1") == charged)
            #expect(try await stripe.requests(path).filter(\.wasDone).count == 1)
            // With another key it would have been another charge.
            #expect(try await charge(stripe.client, key: "top-up-2") != charged)
            #expect(try await stripe.requests(path).filter(\.wasDone).count == 2)
        }
    }

    @Test func `a charge whose answers were all lost is known to be unknown, and found by its key`()
        async throws
    {
        try await withLocalStripe { stripe, _ in
            let (customer, card) = try await stripe.payingCustomer()
            try await stripe.order("faults", #"[{"what":"fail_after","count":3,"method":"POST"}]"#)
            @Sendable func charge(_ cents: Int64) async throws(StripeError) -> StripePaymentIntent {
                try await stripe.client.createPaymentIntent(
                    StripeAmount(cents: cents), of: customer, with: card, isOffSession: true, metadata: [:],
                    key: "top-up")
            }
            let lost = await failure { () throws(StripeError) in try await charge(2500) }
            #expect(lost?.kind == .unavailable)
            #expect(lost?.isOutcomeUnknown == true)
            #expect(try await charge(2500).status == .succeeded)
            #expect(try await stripe.requests("/v1/payment_intents").filter(\.wasDone).count == 1)
            let other = await failure { () throws(StripeError) in try await charge(2600) }
            #expect(other?.kind == .keyReused)
        }
    }

    @Test func `a cancellation whose answer was lost is a cancellation`() async throws {
        try await withLocalStripe { stripe, _ in
            let (customer, _) = try await stripe.payingCustomer()
            try await stripe.createPlans()
            let begun = try await stripe.client.createSubscription(
                of: customer, to: "pro", metadata: [:], key: "subscribe")
            try await stripe.order("faults", #"[{"what":"cut_after","method":"DELETE"}]"#)
            #expect(try await stripe.client.cancelNow(begun.id).status == .canceled)
            let unknown = await failure { () throws(StripeError) in
                try await stripe.client.cancelNow("sub_nobody")
            }
            #expect(unknown?.kind == .notFound)
        }
    }

    @Test func `usage is counted once for each identifier`() async throws {
        try await withLocalStripe { stripe, _ in
            @Sendable func report(key: String) async throws(StripeError) -> StripeMeterEvent {
                try await stripe.client.reportUsage(
                    "tokens", of: "cus_1", 12_000, identifier: "batch-7",
                    at: Timestamp(seconds: 1_795_200_000),
                    key: key)
            }
            let (first, second) = (try await report(key: "r1"), try await report(key: "r1"))
            #expect([first.identifier, second.identifier] == ["batch-7", "batch-7"])
            let again = await failure { () throws(StripeError) in try await report(key: "r2") }
            #expect(again?.kind == .refused)
        }
    }

    // MARK: Events

    @Test func `webhooks are believed, and what they point to can be fetched`() async throws {
        try await withLocalStripe { stripe, loop in
            let secret = Secret("whsec_ours")
            let inbox = Locked<[(event: StripeEvent, isBelieved: Bool)]>([])
            let receiver = try ScriptedUpstream(on: loop) { peer in
                while let head = try await peer.head() {
                    let request = PreparedStripe.Request(head: head, body: "")
                    let length = request.fields["content-length"].flatMap { Int($0) } ?? 0
                    guard let body = try await peer.read(length) else { return }
                    let signature = request.fields["stripe-signature"]
                    func isBelieved(with secret: Secret) -> Bool {
                        (try? StripeSignature.verify(signature, of: body, with: [secret], at: .now())) != nil
                    }
                    let event = try StripeEvent(parsing: body)
                    let isGenuine = isBelieved(with: secret) && !isBelieved(with: Secret("whsec_other"))
                    inbox.withLock { $0.append((event, isGenuine)) }
                    try await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                }
            }
            defer { receiver.close() }
            try await stripe.order("target", #"{"url":"\#(receiver.url)","secret":"whsec_ours"}"#)
            try await stripe.order(
                "courses",
                #"[{"what":"sign","age":301,"type":"product.created"},{"what":"duplicate","type":"customer.created"}]"#
            )

            let (customer, _) = try await stripe.payingCustomer()
            try await stripe.createPlans()
            let begun = try await stripe.client.createSubscription(
                of: customer, to: "starter", metadata: [:], key: "subscribe")
            _ = try await stripe.client.cancelAtPeriodEnd(begun.id, key: "leave")

            let expected: Set = [
                "customer.created", "product.created", "customer.subscription.created",
                "customer.subscription.updated", "invoice.payment_succeeded",
            ]
            let deadline = Instant.now() + .seconds(30)
            while !expected.isSubset(of: inbox.withLock { Set($0.map(\.event.type)) }) {
                try #require(Instant.now() < deadline, "webhooks are missing")
                try await loop.sleep(for: .milliseconds(50))
            }
            let taken = inbox.withLock { $0 }
            for (event, isBelieved) in taken {
                #expect(isBelieved == (event.type != "product.created"), "\(event.type)")
            }
            #expect(taken.filter { $0.event.type == "customer.created" }.count == 2)
            let update = try #require(
                taken.map(\.event).first { $0.type == "customer.subscription.updated" })
            #expect(update.objectID == begun.id)
            #expect(try await stripe.client.event(update.id) == update)

            // Whoever has missed them reads the list.
            var (listed, page) = ([StripeEvent](), StripePage(limit: 3))
            while true {
                let found = try await stripe.client.events(since: begun.created + .seconds(-60), page)
                listed += found.elements
                page.after = found.elements.last?.id
                if !found.hasMore { break }
            }
            #expect(Set(taken.map(\.event.id)).isSubset(of: Set(listed.map(\.id))))
            #expect(Set(listed.map(\.id)).count == listed.count)
        }
    }
}
