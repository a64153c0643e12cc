import JSON

/// A page of a list, the newest first.
package struct StripeList<Element: Sendable>: Sendable {
    package let elements: [Element]
    /// Then the next page begins after the last of these.
    package let hasMore: Bool
}

extension StripeList: StripeReadable where Element: StripeReadable {
    init(_ value: JSONValue, _ path: String) throws(StripeFault) {
        let fields = try StripeFields(value, path, kind: "list")
        elements = try fields.elements("data")
        hasMore = try fields.flag("has_more")
    }
}

/// Which page.
package struct StripePage: Sendable {
    /// Stripe gives no more at once.
    package static let largest = 100

    package var limit: Int
    /// The identifier of the last element of the page before.
    package var after: String?

    package init(limit: Int = largest, after: String? = nil) {
        self.limit = min(max(limit, 1), Self.largest)
        self.after = after
    }

    var form: StripeForm {
        ["limit": .number(Int64(limit)), "starting_after": after.map(StripeForm.Parameter.text)]
    }
}
