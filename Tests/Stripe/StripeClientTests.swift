import Base
import HTTPClient
import TestKit
import Testing

@testable import Stripe

struct StripeClientTests {
    private static let customer = #"{"id":"cus_1","object":"customer","email":"a@b.example"}"#
    private static let refused = #"{"error":{"type":"invalid_request_error","message":"No."}}"#

    private func create(_ client: StripeClient) async throws(StripeError) -> StripeCustomer {
        try await client.createCustomer(email: "a@b.example", name: nil, metadata: ["org": "o1"], key: "k-1")
    }

    @Test func `a request says who asks, in which version, what, and under which key`() async throws {
        try await withStripe(.answer(Self.customer)) { stripe in
            let customer = try await create(stripe.client())
            #expect(customer.id == "cus_1")
            let request = try #require(stripe.requests.first)
            #expect(request.line == "POST /v1/customers HTTP/1.1")
            #expect(request.body == "email=a%40b.example&metadata[org]=o1")
            #expect(request.fields["authorization"] == "Bearer sk_test_ours")
            #expect(request.fields["stripe-version"] == "2025-02-24.acacia")
            #expect(request.fields["idempotency-key"] == "k-1")
            #expect(request.fields["content-type"] == "application/x-www-form-urlencoded")
            #expect(stripe.requests.count == 1)
        }
    }

    @Test func `whatever only asks sends no key, so that it is never answered with what was`() async throws {
        try await withStripe(.answer(Self.customer)) { stripe in
            let client = stripe.client()
            _ = try await client.customer("cus/1 ?")
            _ = await failure { () throws(StripeError) in
                try await client.upcomingInvoice(of: "cus_1", subscription: "sub_1")
            }
            #expect(
                stripe.requests.map(\.line) == [
                    "GET /v1/customers/cus%2F1%20%3F HTTP/1.1", "POST /v1/invoices/create_preview HTTP/1.1",
                ])
            #expect(stripe.requests.allSatisfy { $0.fields["idempotency-key"] == nil })
            #expect(stripe.requests[0].body.isEmpty)
        }
    }

    // MARK: Retries

    static let passing: [PreparedStripe.Doing] = [
        .answer("oops", status: 500), .answer(refused, status: 503), .answer(refused, status: 409),
        .answer(refused, status: 429), .close,
        .reset, .cut(#"{"id":"cus_"#), .answer(refused, status: 400, fields: "Stripe-Should-Retry: true\r\n"),
        .answer(refused, status: 429, fields: "Retry-After: 0\r\n"),
    ]

    @Test(arguments: passing.indices)
    func `what passes is asked again with the same key and the same bytes`(index: Int) async throws {
        try await withStripe(Self.passing[index], Self.passing[index], .answer(Self.customer)) { stripe in
            let customer = try await create(stripe.client())
            #expect(customer.id == "cus_1")
            #expect(stripe.requests.count == 3)
            #expect(Set(stripe.requests.map(\.body)).count == 1)
            #expect(stripe.requests.allSatisfy { $0.fields["idempotency-key"] == "k-1" })
        }
    }

    static let lasting: [(PreparedStripe.Doing, StripeError.Kind)] = [
        (.answer(refused, status: 400), .refused), (.answer(refused, status: 401), .unauthorized),
        (.answer(refused, status: 403), .unauthorized), (.answer(refused, status: 404), .notFound),
        (.answer(#"{"error":{"type":"card_error"}}"#, status: 402), .card),
        (.answer(#"{"error":{"type":"idempotency_error"}}"#, status: 400), .keyReused),
        (.answer("", status: 302), .unreadable), (.answer("<html>", status: 200), .unreadable),
        (.answer("", status: 500, fields: "Stripe-Should-Retry: false\r\n"), .unavailable),
        (.answer("", status: 429, fields: "Retry-After: 3600\r\n"), .rateLimited),
    ]

    @Test(arguments: lasting.indices)
    func `what lasts is told at once`(index: Int) async throws {
        let (doing, kind) = Self.lasting[index]
        try await withStripe(doing) { stripe in
            let error = await failure { () throws(StripeError) in try await create(stripe.client()) }
            #expect(error?.kind == kind)
            #expect(stripe.requests.count == 1)
            #expect(error?.requestID == "req_1")
        }
    }

    @Test func `after two retries it is given up, and the caller learns that it may have been done`()
        async throws
    {
        try await withStripe(.answer(Self.refused, status: 500)) { stripe in
            let error = await failure { () throws(StripeError) in try await create(stripe.client()) }
            #expect(error?.kind == .unavailable)
            #expect(error?.isOutcomeUnknown == true)
            #expect(error?.requestID == "req_3")
            #expect(stripe.requests.count == 3)
        }
    }

    @Test func `a Stripe that says nothing is given up in time, each time`() async throws {
        try await withStripe(.silence) { stripe in
            let client = stripe.client { $0.deadlines.firstByte = .milliseconds(50) }
            let error = await failure { () throws(StripeError) in try await create(client) }
            #expect(error?.kind == .unreachable)
            #expect(error?.isOutcomeUnknown == true)
            #expect(stripe.requests.count == 3)
        }
    }

    @Test func `what was certainly never sent is known not to have been done`() async throws {
        try await onLoop { loop in
            var configuration = StripeConfiguration(
                secretKey: Secret("sk_test_ours"), baseURL: "http://127.0.0.1:\(freePort())")
            configuration.retry.firstPause = .milliseconds(1)
            let client = StripeClient(configuration, HTTPClient(on: loop), on: loop)
            let error = await failure { () throws(StripeError) in try await create(client) }
            #expect(error?.kind == .unreachable)
            #expect(error?.isOutcomeUnknown == false)
            let torn = await failure { () throws(StripeError) in
                try await client.createCustomer(email: nil, name: nil, metadata: [:], key: "a\r\nb: c")
            }
            #expect(torn?.kind == .notSent)
            #expect(torn?.isOutcomeUnknown == false)
        }
    }

    @Test func `a call that would be about something else, or be done each time, is not sent`() async throws {
        try await withStripe(.answer(Self.customer)) { stripe in
            let client = stripe.client()
            for id in ["", ".", ".."] {
                let error = await failure { () throws(StripeError) in
                    try await client.setDefaultPaymentMethod(of: id, to: "pm_1", key: "k-1")
                }
                #expect(error?.kind == .notSent)
            }
            for key in ["", String(repeating: "k", count: 256)] {
                let error = await failure { () throws(StripeError) in
                    try await client.detach("pm_1", key: key)
                }
                #expect(error?.kind == .notSent)
            }
            #expect(stripe.requests.isEmpty)
        }
    }

    @Test
    func `what an earlier attempt may have done stays unknown until Stripe answers for the request itself`()
        async throws
    {
        let (lost, card) = (PreparedStripe.Doing.close, #"{"error":{"type":"card_error","message":"No."}}"#)
        for (last, isUnknown) in [
            (PreparedStripe.Doing.answer(Self.refused, status: 401), true),
            (.answer(card, status: 402), false),
            (.answer("", status: 429, fields: "Retry-After: 600\r\n"), true),
            (.answer(Self.refused, status: 400), false),
        ] {
            try await withStripe(lost, last) { stripe in
                let error = await failure { () throws(StripeError) in try await create(stripe.client()) }
                #expect(error?.isOutcomeUnknown == isUnknown, "\(last)")
                #expect(stripe.requests.count == 2)
            }
        }
    }

    @Test func `a cancelled call ends at once, also between two attempts`() async throws {
        for doing in [PreparedStripe.Doing.silence, .answer("", status: 500)] {
            try await withStripe(doing) { stripe in
                let client = stripe.client {
                    $0.retry.firstPause = .seconds(600)
                    $0.retry.longestPause = .seconds(600)
                }
                let call = Task { await failure { () throws(StripeError) in try await create(client) } }
                while stripe.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
                try await Task.sleep(for: .milliseconds(50))
                call.cancel()
                let error = await call.value
                #expect(error?.kind == .cancelled || error?.kind == .unavailable)
                #expect(error?.isOutcomeUnknown == true)
                #expect(stripe.requests.count == 1)
            }
        }
    }

    @Test func `an answer without end is not read to its end`() async throws {
        let endless = String(repeating: " ", count: StripeClient.largestAnswer + 1)
        try await withStripe(.answer(endless)) { stripe in
            let error = await failure { () throws(StripeError) in try await create(stripe.client()) }
            #expect(error?.kind == .unreadable)
            #expect(error?.isOutcomeUnknown == true)
            #expect(stripe.requests.count == 1)
        }
    }

    @Test func `a subscription that is not found by who cancels it is looked at: has it ended, all is well`()
        async throws
    {
        for (status, isWell) in [("canceled", true), ("incomplete_expired", true), ("active", false)] {
            let found = StripeObjectTests.subscription.replacing("past_due", with: status)
            try await withStripe(.answer(Self.refused, status: 404), .answer(found)) { stripe in
                let client = stripe.client()
                let error = await failure { () throws(StripeError) in try await client.cancelNow("sub_1") }
                #expect(error?.kind == (isWell ? nil : .notFound))
                #expect(
                    stripe.requests.map(\.line) == [
                        "DELETE /v1/subscriptions/sub_1 HTTP/1.1", "GET /v1/subscriptions/sub_1 HTTP/1.1",
                    ])
            }
        }
    }

    // MARK: Errors

    @Test func `a declined card says why, to the customer too`() async throws {
        let body = """
            {"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds",\
            "param":"payment_method","message":"Your card has insufficient funds.",\
            "payment_intent":{"id":"pi_7","object":"payment_intent"}}}
            """
        try await withStripe(.answer(body, status: 402)) { stripe in
            let error = try #require(
                await failure { () throws(StripeError) in try await create(stripe.client()) })
            #expect(error.type == "card_error")
            #expect(error.code == "card_declined")
            #expect(error.declineCode == "insufficient_funds")
            #expect(error.parameter == "payment_method")
            #expect(error.status == 402)
            #expect(error.paymentIntent == "pi_7")
            #expect(error.customerMessage == "Your card has insufficient funds.")
            #expect(error.description == "the payment was declined (insufficient_funds, req_1)")
            #expect(!error.isOutcomeUnknown)
        }
    }

    @Test func `what is not made for customers is not shown to them`() async throws {
        for body in [Self.refused, #"{"error":{"type":"card_error"}}"#, "", "[]"] {
            try await withStripe(.answer(body, status: 402)) { stripe in
                let error = await failure { () throws(StripeError) in try await create(stripe.client()) }
                #expect(error?.kind == .card)
                #expect(error?.customerMessage == nil)
            }
        }
    }

    @Test func `our secret key is in no description, even where Stripe repeats it`() async throws {
        let body = #"{"error":{"type":"invalid_request_error","message":"Invalid API Key: sk_test_ours"}}"#
        try await withStripe(.answer(body, status: 401)) { stripe in
            let error = try #require(
                await failure { () throws(StripeError) in try await create(stripe.client()) })
            #expect(error.customerMessage == nil)
            var all = "\(error) \(error.debugDescription) "
            dump(error, to: &all)
            dump(StripeConfiguration(secretKey: Secret("sk_test_ours")), to: &all)
            #expect(!all.contains("sk_test_ours"))
        }
    }
}
