import JSON

package struct StripeCustomer: Sendable, StripeReadable {
    package let id: String
    /// Then nothing else is known of it.
    package let isDeleted: Bool
    package let email: String?
    package let name: String?
    package let defaultPaymentMethod: String?
    package let metadata: [String: String]

    init(_ value: JSONValue, _ path: String) throws(StripeFault) {
        let fields = try StripeFields(value, path, kind: "customer")
        id = try fields.text("id")
        isDeleted = value["deleted"]?.bool == true
        email = try fields.text(ifThere: "email")
        name = try fields.text(ifThere: "name")
        defaultPaymentMethod = try fields.fields(ifThere: "invoice_settings")?
            .reference(ifThere: "default_payment_method")
        metadata = try fields.metadata()
    }
}
