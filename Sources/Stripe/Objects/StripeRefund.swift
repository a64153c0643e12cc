package import Base
import JSON

package struct StripeRefund: Sendable, StripeReadable {
    package let id: String
    package let status: Status
    package let amount: StripeAmount
    package let paymentIntent: String?
    package let charge: String?
    package let created: Timestamp
    package let metadata: [String: String]

    package enum Status: String, Sendable {
        case pending, succeeded, failed, canceled
        case requiresAction = "requires_action"
    }

    init(_ value: JSONValue, _ path: String) throws(StripeFault) {
        let fields = try StripeFields(value, path, kind: "refund")
        id = try fields.text("id")
        status = try fields.choice("status")
        amount = try fields.amount("amount")
        paymentIntent = try fields.reference(ifThere: "payment_intent")
        charge = try fields.reference(ifThere: "charge")
        created = try fields.time("created")
        metadata = try fields.metadata()
    }
}
