package import Base
package import HTTPClient

/// Sends alerts to where budgets want them, at least once each.
// Confined to its client's loop.
package struct BudgetWebhooks: Sendable {
    /// Sent at a time, each for as long at most.
    static let batch = 10
    static let deadlines = HTTPClientRequest.Deadlines(
        connect: .seconds(5), firstByte: .seconds(10), betweenBytes: .seconds(10), total: .seconds(10))
    /// Nobody else sends one meanwhile.
    static let lease = Duration.seconds(180)
    /// Then it is given up: a day and a half, with the pauses.
    static let mostAttempts = 40
    static let largestAnswer = 64 * 1024
    private static let longestReason = 300

    private let store: BudgetStore
    private let client: HTTPClient
    private let policy: OutboundPolicy

    /// - Parameter client: one that uses no proxy: the policy is about the addresses that it connects to.
    package init(_ store: BudgetStore, _ client: HTTPClient, _ policy: OutboundPolicy) {
        self.store = store
        self.client = client
        self.policy = policy
    }

    static func pause(after attempt: Int) -> Duration { .seconds(min(3600, 5 << min(attempt - 1, 10))) }

    /// Sends what is due; says how many were not taken.
    func deliver() async throws -> Int {
        var failures = 0
        while true {
            let due = try await store.takeWebhooks(atMost: Self.batch, for: Self.lease)
            for webhook in due {
                let reason: String
                do {
                    let status = try await send(webhook)
                    if (200..<300).contains(status) {
                        try await store.markDelivered(webhook)
                        continue
                    }
                    reason = "it was answered with \(status)"
                } catch let error as HTTPClientError {
                    reason = "\(error)"
                }
                failures += 1
                try await store.markFailed(
                    webhook, reason: String(reason.prefix(Self.longestReason)),
                    pause: webhook.attempt < Self.mostAttempts ? Self.pause(after: webhook.attempt) : nil)
            }
            if due.count < Self.batch { return failures }
        }
    }

    private func send(_ webhook: BudgetStore.DueWebhook) async throws -> Int {
        let body = webhook.alert.body
        let request = HTTPClientRequest(
            "POST", url: webhook.url,
            fields: [
                ("Content-Type", "application/json"),
                (
                    BudgetAlert.signatureField,
                    BudgetAlert.signature(of: body, under: webhook.secret, at: store.time.timestamp())
                ),
                ("Hivegate-Event", webhook.alert.id.description),
            ], body: .bytes(body), deadlines: Self.deadlines
        ).guarded(by: policy)
        return try await client.withResponse(request) { response in
            // What it says does not matter, and a connection that was read to its end is used again.
            _ = try? await response.body(limit: Self.largestAnswer)
            return response.status
        }
    }
}
