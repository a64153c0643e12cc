package import Base

/// One request to another server. The answer is never followed elsewhere: a redirect is an answer.
// An object, so that those who wait for the answer carry no copies of it.
package final class HTTPClientRequest: Sendable {
    package let method: String
    package let url: String
    package let fields: [(name: String, value: String)]
    package let body: Body
    package let deadlines: Deadlines
    /// Which addresses may be spoken to, asked with the *resolved* address when a socket is opened and again
    /// when a connection is used once more. `nil` allows all.
    package let allowsAddress: (@Sendable (IPAddress) -> Bool)?

    /// What to do while the other side says nothing.
    package let silence: Silence?

    /// A sign of life, for somebody who waits for the answer.
    package struct Silence: Sendable {
        /// How long nothing has to come before `sign` is called, and called again.
        package var interval: Duration
        /// When it throws, the request is cancelled.
        package var sign: @Sendable () async throws -> Void

        package init(after interval: Duration, sign: @escaping @Sendable () async throws -> Void) {
            self.interval = interval
            self.sign = sign
        }
    }

    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Sent as it comes, in chunks.
        case stream(HTTPUpload)
    }

    /// Each is measured only while we wait on the other side: a slow reader of ours does not fail its
    /// upstream.
    package struct Deadlines: Sendable {
        /// To resolve, connect and shake hands.
        package var connect: Duration
        /// From the start to the head of the answer.
        package var firstByte: Duration
        /// Between two pieces of the answer.
        package var betweenBytes: Duration
        /// For all of it.
        package var total: Duration

        package init(
            connect: Duration = .seconds(5), firstByte: Duration = .seconds(60),
            betweenBytes: Duration = .seconds(60), total: Duration = .seconds(600)
        ) {
            self.connect = connect
            self.firstByte = firstByte
            self.betweenBytes = betweenBytes
            self.total = total
        }
    }

    package init(
        _ method: String = "GET", url: String, fields: [(name: String, value: String)] = [],
        body: Body = .none, deadlines: Deadlines = Deadlines(), silence: Silence? = nil,
        allowsAddress: (@Sendable (IPAddress) -> Bool)? = nil
    ) {
        self.method = method
        self.url = url
        self.fields = fields
        self.body = body
        self.deadlines = deadlines
        self.silence = silence
        self.allowsAddress = allowsAddress
    }

    /// The same, to a place that somebody else has named: only to addresses that `policy` allows, and without TLS only to
    /// those that it names. For a client without a proxy: the addresses would be the proxy's.
    package func guarded(by policy: OutboundPolicy) -> HTTPClientRequest {
        let isSecure = url.lowercased().hasPrefix("https:")
        return HTTPClientRequest(
            method, url: url, fields: fields, body: body, deadlines: deadlines, silence: silence
        ) { isSecure ? policy.allows($0) : policy.isNamed($0) }
    }
}
