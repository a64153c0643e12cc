import JSON

/// Money that was taken, as refunds and disputes name it.
package struct StripeCharge: Sendable, StripeReadable {
    package let id: String
    package let customer: String?
    package let paymentIntent: String?

    init(_ value: JSONValue, _ path: String) throws(StripeFault) {
        let fields = try StripeFields(value, path, kind: "charge")
        id = try fields.text("id")
        customer = try fields.reference(ifThere: "customer")
        paymentIntent = try fields.reference(ifThere: "payment_intent")
    }
}
