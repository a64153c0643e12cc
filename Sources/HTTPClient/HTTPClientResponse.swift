package import HTTPWire

/// An answer whose body is read as it comes. Valid inside `HTTPClient.withResponse` only.
// Confined to its loop.
package final class HTTPClientResponse: @unchecked Sendable {
    package let status: Int
    /// Those of interim answers are left out.
    package let fields: HTTPFields
    /// Whether an earlier request had opened the connection.
    package let usedExistingConnection: Bool
    /// 1 or 2.
    package let majorVersion: Int
    private let answer: IncomingAnswer

    init(_ head: ResponseHead, _ answer: IncomingAnswer, usedExistingConnection: Bool, majorVersion: Int = 1)
    {
        status = head.status
        fields = head.fields
        self.answer = answer
        self.usedExistingConnection = usedExistingConnection
        self.majorVersion = majorVersion
    }

    /// The first field of that name, in any case.
    package subscript(name: String) -> String? { fields.string(name) }

    /// What has come since the last call, waiting until there is something; `nil` at the end. While nobody
    /// asks, at most `IncomingAnswer.highWater` is kept and the other side has to wait.
    package func next() async throws -> [UInt8]? {
        try await answer.next()
    }

    /// The whole body, or `.tooLarge` as soon as it exceeds `limit`.
    package func body(limit: Int) async throws -> [UInt8] {
        guard var whole = try await next() else { return [] }
        while whole.count <= limit {
            guard let piece = try await next() else { return whole }
            whole.append(contentsOf: piece)
        }
        throw HTTPClientError(.tooLarge, mayHaveExecuted: true, detail: "more than \(limit) bytes")
    }

    /// Reads what comes behind that of which all is known, so that the connection can be used again. Whatever happens to
    /// it, nothing is lost.
    package func discardRest() async {
        do { while try await next() != nil {} } catch {}
    }
}
