package import Base
import JSON

package struct StripeSubscription: Sendable, StripeReadable {
    package let id: String
    package let status: Status
    package let customer: String
    /// One, unless somebody has added others by hand.
    package let items: [Item]
    package let currentPeriodStart: Timestamp
    package let currentPeriodEnd: Timestamp
    package let cancelsAtPeriodEnd: Bool
    package let cancelAt: Timestamp?
    package let canceledAt: Timestamp?
    package let endedAt: Timestamp?
    package let trialEnd: Timestamp?
    package let latestInvoice: String?
    package let created: Timestamp
    package let metadata: [String: String]

    package enum Status: String, Sendable {
        case incomplete, trialing, active, unpaid, paused, canceled
        case incompleteExpired = "incomplete_expired"
        case pastDue = "past_due"

        /// Whether it has ended, and never becomes anything else.
        package var isFinal: Bool { self == .canceled || self == .incompleteExpired }
    }

    package struct Item: Sendable, StripeReadable {
        package let id: String
        package let plan: StripePlan
        /// `nil` where it is metered.
        package let quantity: Int64?

        init(_ value: JSONValue, _ path: String) throws(StripeFault) {
            let fields = try StripeFields(value, path, kind: "subscription_item")
            id = try fields.text("id")
            plan = try fields.object("plan")
            quantity = try fields.number(ifThere: "quantity")
        }
    }

    init(_ value: JSONValue, _ path: String) throws(StripeFault) {
        let fields = try StripeFields(value, path, kind: "subscription")
        id = try fields.text("id")
        status = try fields.choice("status")
        customer = try fields.reference("customer")
        items = try fields.fields("items").elements("data")
        guard !items.isEmpty else { throw fields.fault("items.data", "is empty") }
        currentPeriodStart = try fields.time("current_period_start")
        currentPeriodEnd = try fields.time("current_period_end")
        cancelsAtPeriodEnd = try fields.flag("cancel_at_period_end")
        cancelAt = try fields.time(ifThere: "cancel_at")
        canceledAt = try fields.time(ifThere: "canceled_at")
        endedAt = try fields.time(ifThere: "ended_at")
        trialEnd = try fields.time(ifThere: "trial_end")
        latestInvoice = try fields.reference(ifThere: "latest_invoice")
        created = try fields.time("created")
        metadata = try fields.metadata()
    }
}

/// What a change of plan in the middle of a period does to the money.
package enum StripeProration: String, Sendable {
    /// The difference is asked for at once.
    case invoicedNow = "always_invoice"
    /// It is part of the next invoice.
    case onNextInvoice = "create_prorations"
    case none
}

/// What becomes of a subscription or a change of it whose first payment fails.
package enum StripePaymentBehavior: String, Sendable {
    case allowIncomplete = "allow_incomplete"
    /// It waits for the browser to confirm the payment.
    case defaultIncomplete = "default_incomplete"
    /// It is not made: a card error.
    case errorIfIncomplete = "error_if_incomplete"
    /// A change is made once it is paid.
    case pendingIfIncomplete = "pending_if_incomplete"
}
