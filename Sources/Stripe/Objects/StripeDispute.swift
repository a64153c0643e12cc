import JSON

/// Somebody says to their bank that they did not pay.
package struct StripeDispute: Sendable, StripeReadable {
    package let id: String
    package let status: Status
    package let amount: StripeAmount
    package let paymentIntent: String?
    package let charge: String

    package enum Status: String, Sendable {
        case warningNeedsResponse = "warning_needs_response"
        case warningUnderReview = "warning_under_review"
        case warningClosed = "warning_closed"
        case needsResponse = "needs_response"
        case underReview = "under_review"
        case prevented, won, lost

        /// Whether the money is gone, until the dispute is won.
        package var isWithdrawn: Bool {
            switch self {
            case .needsResponse, .underReview, .lost: true
            case .warningNeedsResponse, .warningUnderReview, .warningClosed, .prevented, .won: false
            }
        }
    }

    init(_ value: JSONValue, _ path: String) throws(StripeFault) {
        let fields = try StripeFields(value, path, kind: "dispute")
        id = try fields.text("id")
        status = try fields.choice("status")
        amount = try fields.amount("amount")
        paymentIntent = try fields.reference(ifThere: "payment_intent")
        charge = try fields.reference("charge")
    }
}
