/// An answer whose body is read as it comes. Valid inside `HTTPClient.withResponse` only.
// Confined to its loop.
package final class HTTPClientResponse: @unchecked Sendable {
    package let status: Int
    /// In the order in which they came; interim answers are left out.
    package let fields: [(name: String, value: String)]
    private let transfer: Transfer

    init(status: Int, fields: [(name: String, value: String)], transfer: Transfer) {
        self.status = status
        self.fields = fields
        self.transfer = transfer
    }

    /// The first field of that name, in any case.
    package subscript(name: String) -> String? {
        fields.first { $0.name.utf8.count == name.utf8.count && $0.name.lowercased() == name.lowercased() }?
            .value
    }

    /// What has come since the last call, waiting until there is something; `nil` at the end. While nobody
    /// asks, at most `Transfer.highWater` is kept and the other side has to wait.
    package func next() async throws -> [UInt8]? {
        try await transfer.next()
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

    /// Whether an earlier request had opened the connection.
    package var usedExistingConnection: Bool { transfer.usedExistingConnection }

    /// 1 or 2.
    package var majorVersion: Int { transfer.majorVersion }
}
