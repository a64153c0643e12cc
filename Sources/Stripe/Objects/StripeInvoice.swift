package import Base
import JSON

package struct StripeInvoice: Sendable, StripeReadable {
    package let id: String
    package let status: Status
    package let customer: String
    package let subscription: String?
    package let paymentIntent: String?
    /// Why there is one: `subscription_create`, `subscription_cycle`, …
    package let billingReason: String?
    package let total: StripeAmount
    package let amountDue: StripeAmount
    package let amountPaid: StripeAmount
    /// As people read it: `ABC-0001`.
    package let number: String?
    /// Where whoever pays can see it, and pay.
    package let hostedURL: String?
    package let attemptCount: Int64
    package let nextPaymentAttempt: Timestamp?
    package let created: Timestamp

    package enum Status: String, Sendable { case draft, open, paid, uncollectible, void }

    init(_ value: JSONValue, _ path: String) throws(StripeFault) {
        let fields = try StripeFields(value, path, kind: "invoice")
        id = try fields.text("id")
        status = try fields.choice("status")
        customer = try fields.reference("customer")
        subscription = try fields.reference(ifThere: "subscription")
        paymentIntent = try fields.reference(ifThere: "payment_intent")
        billingReason = try fields.text(ifThere: "billing_reason")
        total = try fields.amount("total")
        amountDue = try fields.amount("amount_due")
        amountPaid = try fields.amount("amount_paid")
        number = try fields.text(ifThere: "number")
        hostedURL = try fields.text(ifThere: "hosted_invoice_url")
        attemptCount = try fields.number("attempt_count")
        nextPaymentAttempt = try fields.time(ifThere: "next_payment_attempt")
        created = try fields.time("created")
    }
}

/// What would be on an invoice. It is none yet.
package struct StripeInvoicePreview: Sendable, StripeReadable {
    package let subtotal: StripeAmount
    package let total: StripeAmount
    package let amountDue: StripeAmount
    /// The first ten.
    package let lines: [Line]

    package struct Line: Sendable, StripeReadable {
        package let description: String?
        package let amount: StripeAmount
        /// Whether it is a part of a period.
        package let isProration: Bool
        package let periodStart: Timestamp
        package let periodEnd: Timestamp

        init(_ value: JSONValue, _ path: String) throws(StripeFault) {
            let fields = try StripeFields(value, path)
            description = try fields.text(ifThere: "description")
            amount = try fields.amount("amount")
            isProration = try fields.flag("proration")
            let period = try fields.fields("period")
            periodStart = try period.time("start")
            periodEnd = try period.time("end")
        }
    }

    init(_ value: JSONValue, _ path: String) throws(StripeFault) {
        let fields = try StripeFields(value, path, kind: "invoice")
        subtotal = try fields.amount("subtotal")
        total = try fields.amount("total")
        amountDue = try fields.amount("amount_due")
        lines = try fields.fields("lines").elements("data")
    }
}
