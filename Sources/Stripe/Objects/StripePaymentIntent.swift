package import Base
import JSON

/// A payment, from the wish for it to its end.
package struct StripePaymentIntent: Sendable, StripeReadable {
    package let id: String
    package let status: Status
    package let amount: StripeAmount
    /// What has been paid: more than nothing only once it has succeeded.
    package let received: StripeAmount
    package let customer: String?
    package let paymentMethod: String?
    package let latestCharge: String?
    /// What it pays, unless it stands alone.
    package let invoice: String?
    /// With it the browser confirms the payment on Stripe's side.
    package let clientSecret: Secret?
    /// Why the last attempt to pay failed.
    package let failureCode: String?
    package let created: Timestamp
    package let metadata: [String: String]

    package enum Status: String, Sendable {
        case requiresPaymentMethod = "requires_payment_method"
        case requiresConfirmation = "requires_confirmation"
        case requiresAction = "requires_action"
        case requiresCapture = "requires_capture"
        case processing, canceled, succeeded
    }

    init(_ value: JSONValue, _ path: String) throws(StripeFault) {
        let fields = try StripeFields(value, path, kind: "payment_intent")
        id = try fields.text("id")
        status = try fields.choice("status")
        amount = try fields.amount("amount")
        received = try fields.amount("amount_received")
        customer = try fields.reference(ifThere: "customer")
        paymentMethod = try fields.reference(ifThere: "payment_method")
        latestCharge = try fields.reference(ifThere: "latest_charge")
        invoice = try fields.reference(ifThere: "invoice")
        clientSecret = try fields.secret(ifThere: "client_secret")
        let failure = try fields.fields(ifThere: "last_payment_error")
        let (declineCode, code) = (
            try failure?.text(ifThere: "decline_code"), try failure?.text(ifThere: "code")
        )
        failureCode = declineCode ?? code
        created = try fields.time("created")
        metadata = try fields.metadata()
    }
}
