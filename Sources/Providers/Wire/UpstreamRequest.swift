/// A request in a provider's format: what goes behind its base URL, and the body. Who asks is added where it is sent.
package struct UpstreamRequest: Sendable {
    /// Behind the base URL, with a leading `/` and what must be percent-encoded encoded.
    package var path: String
    /// Besides authorization, and `Content-Type: application/json` where there is none among these: one that a codec
    /// gives wins.
    package var fields: [(name: String, value: String)]
    package var body: [UInt8]
    /// Fields of the client's request, as the client's dialect names them in general (`seed`, `user`), that this
    /// format has no place for.
    package var omitted: [String]

    package init(
        path: String, fields: [(name: String, value: String)] = [], body: [UInt8], omitted: [String] = []
    ) {
        self.path = path
        self.fields = fields
        self.body = body
        self.omitted = omitted
    }

    /// Something that the format has no words for and that cannot be left out.
    package struct Unsayable: Error, Equatable, Sendable {
        /// `messages[2].content[0]`, `tools[1]`, `response_format`.
        package var field: String
        /// As it goes on after the field: "audio cannot be sent to this model".
        package var reason: String

        package init(_ field: String, _ reason: String) {
            self.field = field
            self.reason = reason
        }
    }
}
