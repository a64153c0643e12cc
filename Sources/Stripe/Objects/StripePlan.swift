import JSON

/// What a subscription costs, and how often.
package struct StripePlan: Sendable, StripeReadable {
    package let id: String
    package let product: String?
    /// `nil` where it has tiers.
    package let amount: StripeAmount?
    package let interval: Interval
    package let intervalCount: Int64
    package let isActive: Bool
    package let metadata: [String: String]

    package enum Interval: String, Sendable { case day, week, month, year }

    init(_ value: JSONValue, _ path: String) throws(StripeFault) {
        let fields = try StripeFields(value, path, kind: "plan")
        id = try fields.text("id")
        product = try fields.reference(ifThere: "product")
        amount = try fields.number(ifThere: "amount") == nil ? nil : fields.amount("amount")
        interval = try fields.choice("interval")
        intervalCount = try fields.number("interval_count")
        isActive = try fields.flag("active")
        metadata = try fields.metadata()
    }
}
