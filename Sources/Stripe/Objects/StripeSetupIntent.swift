package import Base
import JSON

/// A card on its way to be kept. The browser gives it to Stripe, with the client secret.
package struct StripeSetupIntent: Sendable, StripeReadable {
    package let id: String
    package let status: Status
    package let customer: String?
    /// There once it has succeeded.
    package let paymentMethod: String?
    package let clientSecret: Secret?
    package let metadata: [String: String]

    package enum Status: String, Sendable {
        case requiresPaymentMethod = "requires_payment_method"
        case requiresConfirmation = "requires_confirmation"
        case requiresAction = "requires_action"
        case processing, canceled, succeeded
    }

    init(_ value: JSONValue, _ path: String) throws(StripeFault) {
        let fields = try StripeFields(value, path, kind: "setup_intent")
        id = try fields.text("id")
        status = try fields.choice("status")
        customer = try fields.reference(ifThere: "customer")
        paymentMethod = try fields.reference(ifThere: "payment_method")
        clientSecret = try fields.secret(ifThere: "client_secret")
        metadata = try fields.metadata()
    }
}
