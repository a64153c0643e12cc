import JSON

package struct StripeProduct: Sendable, StripeReadable {
    package let id: String
    package let name: String
    package let isActive: Bool
    package let metadata: [String: String]

    init(_ value: JSONValue, _ path: String) throws(StripeFault) {
        let fields = try StripeFields(value, path, kind: "product")
        id = try fields.text("id")
        name = try fields.text("name")
        isActive = try fields.flag("active")
        metadata = try fields.metadata()
    }
}
