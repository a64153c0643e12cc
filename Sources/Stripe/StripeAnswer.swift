import HTTPClient

/// What came back, whole.
struct StripeAnswer: Sendable {
    let status: Int
    let body: [UInt8]
    let requestID: String?
    let isWorthRetrying: Bool?
    let retryAfter: Duration?

    init(
        status: Int, body: [UInt8] = [], requestID: String? = nil, isWorthRetrying: Bool? = nil,
        retryAfter: Duration? = nil
    ) {
        self.status = status
        self.body = body
        self.requestID = requestID
        self.isWorthRetrying = isWorthRetrying
        self.retryAfter = retryAfter
    }

    init(_ response: HTTPClientResponse, body: [UInt8]) {
        status = response.status
        self.body = body
        requestID = response["request-id"]
        isWorthRetrying = response["stripe-should-retry"].flatMap(Bool.init)
        retryAfter = response["retry-after"].flatMap(Int64.init).flatMap {
            (0..<1_000_000).contains($0) ? .seconds($0) : nil
        }
    }
}
