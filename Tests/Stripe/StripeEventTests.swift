import Base
import Testing

@testable import Stripe

struct StripeEventTests {
    private static let whole = """
        {"id":"evt_1","object":"event","type":"customer.subscription.updated","created":1795199990,\
        "livemode":false,"api_version":"2025-02-24.acacia","pending_webhooks":1,\
        "data":{"object":{"id":"sub_1","object":"subscription","status":"active"},"previous_attributes":{}}}
        """

    private func fault(_ body: String) -> String? {
        do throws(StripeFault) {
            _ = try StripeEvent(parsing: Array(body.utf8))
            return nil
        } catch {
            return error.description
        }
    }

    @Test func `of a webhook only what it is about is taken`() throws {
        let event = try StripeEvent(parsing: Array(Self.whole.utf8))
        #expect(event.id == "evt_1")
        #expect(event.type == "customer.subscription.updated")
        #expect(event.created == Timestamp(seconds: 1_795_199_990))
        #expect(event.objectType == "subscription")
        #expect(event.objectID == "sub_1")
        #expect(!event.isLive)
        #expect(event.version == "2025-02-24.acacia")
    }

    @Test func `an object without an identifier, as an upcoming invoice, is no reason to refuse a webhook`()
        throws
    {
        let event = try StripeEvent(
            parsing: Array(
                Self.whole.replacing(#""id":"sub_1","object":"subscription""#, with: #""object":"invoice""#)
                    .replacing(#""2025-02-24.acacia""#, with: "null").utf8))
        #expect(event.objectType == "invoice")
        #expect(event.objectID == nil)
        #expect(event.version == nil)
    }

    @Test func `what a webhook needs and lacks is named`() {
        for (part, expected) in [
            (#""id":"evt_1","#, #""id" is missing"#),
            (#""object":"event","#, #""object" is not "event""#),
            (#""type":"customer.subscription.updated","#, #""type" is missing"#),
            (#""created":1795199990,"#, #""created" is missing"#),
            (#""livemode":false,"#, #""livemode" is missing"#),
            (#","object":"subscription""#, #""data.object.object" is missing"#),
        ] { #expect(fault(Self.whole.replacing(part, with: "")) == expected) }
        #expect(fault(Self.whole.replacing("1795199990", with: "1e18")) == #""created" is no time"#)
        #expect(
            fault(Self.whole.replacing("1795199990", with: #""now""#))
                == #""created" is no whole number of 64 bits"#)
        #expect(fault(Self.whole.replacing(#""evt_1""#, with: "7")) == #""id" is no text"#)
        #expect(fault("[]") == "the whole is no object")
        #expect(fault("{") == "the whole is no JSON")
        #expect(
            fault(String(repeating: " ", count: 1024 * 1024 + 1)) == "the whole is more than 1048576 bytes")
    }
}
