package import Base
import Catalog
package import Chat

/// What a request has used and cost, for good: one line of the journal.
package struct UsageEvent: Equatable, Sendable {
    package var id: UUID
    package var requestID: String
    package var organization: UUID
    package var user: UUID
    package var key: UUID
    /// The name of its route: `createChatCompletion`.
    package var endpoint: String
    /// As the client named it.
    package var model: String
    /// When it ended.
    package var at: Timestamp
    /// The requests to providers, in their order; none where the answer was there already.
    package var attempts: [Attempt]
    /// Which limits on money have paid how much.
    package var charges: [Charge] = []
    /// As clients are told it: `HIT`, `MISS`; nil where the cache had no part in it.
    package var cache: String?
    /// Whether it was paid from the database, because what gateways hold could not be asked.
    package var isDirect = false

    package struct Attempt: Equatable, Sendable {
        package var provider: String
        /// As clients name it, and the catalogue.
        package var model: String
        /// Whether the organization's own key paid its provider.
        package var isOwnKey = false
        package var started: Timestamp
        package var latency: Duration
        package var timeToFirstToken: Duration?
        package var outcome: AttemptReport.Outcome
        /// The code of what went wrong.
        package var fault: String?
        /// nil where nothing was used, or not in tokens.
        package var usage: ChatUsage?
        package var imageCount = 0
        /// Since when the price holds that was in force: with the model, its name. nil: there was none.
        package var priceFrom: Timestamp?
        /// In nano-dollars; nil where something was used whose price is not known.
        package var cost: Int64?

        package init(
            provider: String, model: String, started: Timestamp, latency: Duration,
            outcome: AttemptReport.Outcome, cost: Int64?, _ change: (inout Attempt) -> Void = { _ in }
        ) {
            self.provider = provider
            self.model = model
            self.started = started
            self.latency = latency
            self.outcome = outcome
            self.cost = cost
            change(&self)
        }
    }

    package struct Charge: Equatable, Sendable {
        package var limit: UUID
        package var nanodollars: Int64

        package init(limit: UUID, nanodollars: Int64) {
            self.limit = limit
            self.nanodollars = nanodollars
        }
    }

    package init(
        id: UUID, requestID: String, organization: UUID, user: UUID, key: UUID, endpoint: String,
        model: String,
        at: Timestamp, attempts: [Attempt], _ change: (inout UsageEvent) -> Void = { _ in }
    ) {
        self.id = id
        self.requestID = requestID
        self.organization = organization
        self.user = user
        self.key = key
        self.endpoint = endpoint
        self.model = model
        self.at = at
        self.attempts = attempts
        change(&self)
    }

    /// Of all attempts whose cost is known, in nano-dollars.
    package var cost: Int64 {
        attempts.reduce(0) { sum, attempt in
            let (more, overflows) = sum.addingReportingOverflow(attempt.cost ?? 0)
            return overflows ? ModelPrice.mostNanodollars : min(more, ModelPrice.mostNanodollars)
        }
    }

    /// Whether nothing was used whose price is not known.
    package var isWhollyPriced: Bool { attempts.allSatisfy { $0.cost != nil } }
}
