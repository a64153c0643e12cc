package import HTTPWire

/// What is said of an answer that several get, before it.
package struct AnswerHead: Equatable, Sendable {
    package var type: String
    /// The fields that its maker's client got.
    package var fields: HTTPFields

    package init(type: String, fields: HTTPFields) {
        self.type = type
        self.fields = fields
    }
}
