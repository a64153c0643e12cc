import Base
import JSON
import Testing

@testable import Stripe

struct StripeObjectTests {
    static let plan = """
        {"id":"pro","object":"plan","product":"prod_1","amount":2999,"currency":"usd","interval":"month",\
        "interval_count":1,"active":true,"metadata":{"tier":"pro"}}
        """
    static let subscription = """
        {"id":"sub_1","object":"subscription","status":"past_due","customer":"cus_1","items":{"object":"list",\
        "data":[{"id":"si_1","object":"subscription_item","plan":\(plan),"quantity":1}]},\
        "current_period_start":1795000000,"current_period_end":1797600000,"cancel_at_period_end":false,\
        "canceled_at":null,"latest_invoice":{"id":"in_1","object":"invoice"},"created":1795000000,"new":[1]}
        """

    private func fault<Object: StripeReadable>(_ text: String, as: Object.Type) throws -> String? {
        let document = try JSONDocument(parsing: Array(text.utf8))
        do throws(StripeFault) {
            _ = try Object(document.root, "")
            return nil
        } catch {
            return error.description
        }
    }

    @Test func `a subscription is read with its plan, whatever else comes with it`() throws {
        let document = try JSONDocument(parsing: Array(Self.subscription.utf8))
        let subscription = try StripeSubscription(document.root, "")
        #expect(subscription.status == .pastDue)
        #expect(subscription.items.map(\.id) == ["si_1"])
        #expect(subscription.items[0].plan.amount == StripeAmount(cents: 2999, currency: "usd"))
        #expect(subscription.items[0].plan.interval == .month)
        #expect(subscription.items[0].plan.metadata == ["tier": "pro"])
        #expect(subscription.currentPeriodEnd == Timestamp(seconds: 1_797_600_000))
        #expect(subscription.canceledAt == nil)
        #expect(subscription.latestInvoice == "in_1")
    }

    @Test func `what is needed and missing, or is something else, is named by where it should be`() throws {
        for (part, instead, expected) in [
            (#""id":"sub_1","#, "", #""id" is missing"#),
            (#""object":"subscription","#, "", #""object" is not "subscription""#),
            (#""status":"past_due""#, #""status":"asleep""#, #""status" is a value that we do not know"#),
            (#""customer":"cus_1","#, "", #""customer" is missing"#),
            (#""id":"si_1","#, "", #""items.data[0].id" is missing"#),
            (#""interval":"month","#, "", #""items.data[0].plan.interval" is missing"#),
            (
                #""amount":2999"#, #""amount":29.99"#,
                #""items.data[0].plan.amount" is no whole number of 64 bits"#
            ),
            (#","currency":"usd""#, "", #""items.data[0].plan.currency" is missing"#),
            (
                #"{"tier":"pro"}"#, #"{"tier":1}"#,
                #""items.data[0].plan.metadata" has a member that is no text"#
            ),
            (#""current_period_end":1797600000,"#, "", #""current_period_end" is missing"#),
            (#":1797600000"#, ":-1", #""current_period_end" is no time"#),
            (
                #""cancel_at_period_end":false"#, #""cancel_at_period_end":0"#,
                #""cancel_at_period_end" is neither true nor false"#
            ),
            (#"{"id":"in_1","object":"invoice"}"#, "7", #""latest_invoice" names no object"#),
        ] {
            let changed = Self.subscription.replacing(part, with: instead)
            #expect(changed != Self.subscription)
            #expect(try fault(changed, as: StripeSubscription.self) == expected)
        }
        let empty =
            #"{"object":"subscription","id":"a","status":"active","customer":"c","items":{"data":[]}}"#
        #expect(try fault(empty, as: StripeSubscription.self) == #""items.data" is empty"#)
    }

    @Test func `a customer who was deleted is one, and says so`() throws {
        let document = try JSONDocument(
            parsing: Array(#"{"id":"cus_1","object":"customer","deleted":true}"#.utf8))
        #expect(try StripeCustomer(document.root, "").isDeleted)
    }

    @Test func `a plan with tiers has no amount`() throws {
        let text = Self.plan.replacing("2999", with: "null")
        let document = try JSONDocument(parsing: Array(text.utf8))
        #expect(try StripePlan(document.root, "").amount == nil)
    }
}
