package import HTTPServer
package import HTTPWire
package import JSON

/// What an endpoint answers. `X-Request-Id` and `Cache-Control: no-store` are sent with it.
package struct Reply: Sendable {
    package var status: Int
    package var fields: HTTPFields
    package var body: [UInt8]
    /// What is said where the request is repeated, where that is less: a secret is shown once.
    package var bodyOfReplay: [UInt8]?
    /// Writes the body piece by piece, where it is not known whole.
    package var stream: (@Sendable (ResponseStream) async throws -> Void)?

    package init(_ status: Int, _ fields: HTTPFields = HTTPFields(), body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    package static func json(
        _ status: Int = 200, _ bytes: [UInt8], _ fields: HTTPFields = HTTPFields()
    ) -> Reply {
        var reply = Reply(status, ["Content-Type": "application/json"], body: bytes)
        reply.fields.append(contentsOf: fields)
        return reply
    }

    /// One object, whose fields `write` writes.
    package static func json(
        _ status: Int = 200, _ fields: HTTPFields = HTTPFields(),
        _ write: (inout JSONWriter) throws -> Void
    ) rethrows -> Reply {
        var json = JSONWriter(capacity: 256)
        try json.object(write)
        return .json(status, json.bytes, fields)
    }

    package static func empty(_ status: Int = 204, _ fields: HTTPFields = HTTPFields()) -> Reply {
        Reply(status, fields)
    }

    /// One whose body `stream` writes.
    package static func stream(
        _ fields: HTTPFields, _ stream: @escaping @Sendable (ResponseStream) async throws -> Void
    ) -> Reply {
        var reply = Reply(200, fields)
        reply.stream = stream
        return reply
    }

    /// To another page, to be got by GET.
    package static func redirect(_ url: String, _ fields: HTTPFields = HTTPFields()) -> Reply {
        var reply = Reply(303, ["Location": url])
        reply.fields.append(contentsOf: fields)
        return reply
    }
}
