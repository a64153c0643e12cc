import JSON

/// Usage that Stripe has taken down.
package struct StripeMeterEvent: Sendable, StripeReadable {
    package let name: String
    package let identifier: String

    init(_ value: JSONValue, _ path: String) throws(StripeFault) {
        let fields = try StripeFields(value, path, kind: "billing.meter_event")
        name = try fields.text("event_name")
        identifier = try fields.text("identifier")
    }
}
