package import Base
import JSON

/// What a webhook, or the list of events, says has happened. It is a hint and nothing more: what the object has become is
/// asked of Stripe, so that neither the order of webhooks nor their number matters.
package struct StripeEvent: Equatable, Sendable, StripeReadable {
    package let id: String
    /// `customer.subscription.updated`, …: whoever does not know it lets the event be.
    package let type: String
    package let created: Timestamp
    /// `subscription`, …
    package let objectType: String
    /// `nil` for the few objects that have none, as an upcoming invoice.
    package let objectID: String?
    package let isLive: Bool
    /// The version that the event was written in, which is the endpoint's and not ours.
    package let version: String?

    /// Webhooks beyond it are refused unread; Stripe's are far below.
    package static let largestBody = 1024 * 1024

    /// Reads a webhook's body, whose signature has been verified.
    package init(parsing body: [UInt8]) throws(StripeFault) {
        guard body.count <= Self.largestBody else {
            throw StripeFault("", "is more than \(Self.largestBody) bytes")
        }
        guard let document = try? JSONDocument(parsing: body) else { throw StripeFault("", "is no JSON") }
        try self.init(document.root, "")
    }

    init(_ value: JSONValue, _ path: String) throws(StripeFault) {
        let fields = try StripeFields(value, path, kind: "event")
        id = try fields.text("id")
        type = try fields.text("type")
        created = try fields.time("created")
        isLive = try fields.flag("livemode")
        version = try fields.text(ifThere: "api_version")
        let object = try fields.fields("data").fields("object")
        objectType = try object.text("object")
        objectID = try object.text(ifThere: "id")
    }
}
