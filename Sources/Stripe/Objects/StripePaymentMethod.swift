import JSON

/// A way to pay that Stripe keeps for us. Of a card we learn only what its owner recognizes it by.
package struct StripePaymentMethod: Sendable, StripeReadable {
    package let id: String
    package let type: String
    package let customer: String?
    package let card: Card?

    package struct Card: Equatable, Sendable {
        package let brand: String
        package let lastFourDigits: String
        package let expiryMonth: Int64
        package let expiryYear: Int64
    }

    init(_ value: JSONValue, _ path: String) throws(StripeFault) {
        let fields = try StripeFields(value, path, kind: "payment_method")
        id = try fields.text("id")
        type = try fields.text("type")
        customer = try fields.reference(ifThere: "customer")
        if let shown = try fields.fields(ifThere: "card") {
            card = Card(
                brand: try shown.text("brand"), lastFourDigits: try shown.text("last4"),
                expiryMonth: try shown.number("exp_month"), expiryYear: try shown.number("exp_year"))
        } else {
            card = nil
        }
    }
}
