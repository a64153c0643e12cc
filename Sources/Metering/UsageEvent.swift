package import Base
import Catalog
package import Chat

/// What a call has used and cost, for good.
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
    /// Whether a wallet is among them.
    package var isPrepaid = false
    /// The answer that was there already, and was given.
    package var kept: Kept?
    /// As clients are told it: `HIT`, `MISS`; nil where the cache had no part in it.
    package var cache: String?
    /// Where it was paid from the database, because what gateways hold could not be asked: the grants that it was given.
    package var grants: [UUID] = []
    /// The limit that would have refused it, were limits enforced.
    package var wouldRefuse: UUID?
    /// What the client says that it is about: a JSON object of texts.
    package var tags: [UInt8]?

    package struct Attempt: Equatable, Sendable {
        package var provider: String
        /// As clients name it, and the catalogue.
        package var model: String
        /// Whether the organization's own key paid its provider.
        package var isOwnKey = false
        package var started: Timestamp
        package var latency: Duration
        package var timeToFirstToken: Duration?
        package var outcome: Outcome
        /// The code of what went wrong.
        package var fault: String?
        /// nil where nothing was used, or not in tokens.
        package var usage: ChatUsage?
        package var imageCount = 0
        /// Since when the price holds that was in force: with the model, its name. nil: there was none.
        package var priceFrom: Timestamp?
        /// The organization's own price that lay over it; nil: none.
        package var override: UUID?
        /// What its provider asks, in nano-dollars; nil where something was used whose price is not known.
        package var cost: Int64?
        /// What comes on top of that.
        package var commission: Int64 = 0
        /// What the organization pays of all that.
        package var charge: Int64 = 0

        package init(
            provider: String, model: String, started: Timestamp, latency: Duration,
            outcome: Outcome, cost: Int64?, _ change: (inout Attempt) -> Void = { _ in }
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

    /// How a request to a provider has ended.
    package enum Outcome: String, CaseIterable, Sendable {
        case answered
        /// The provider refused or failed, or broke off.
        case failed
        /// The client left before the end.
        case abandoned
    }

    /// Whose answer it was.
    package struct Kept: Equatable, Sendable {
        package var provider: String
        package var model: String
        /// What it would have cost to have it made anew.
        package var nanodollarsSaved: Int64

        package init(provider: String, model: String, nanodollarsSaved: Int64) {
            self.provider = provider
            self.model = model
            self.nanodollarsSaved = nanodollarsSaved
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
    package var cost: Int64 { sum { $0.cost ?? 0 } }
    /// What the organization pays for all of them.
    package var charge: Int64 { sum(\.charge) }

    private func sum(_ amount: (Attempt) -> Int64) -> Int64 {
        attempts.reduce(0) { sum, attempt in
            let (more, overflows) = sum.addingReportingOverflow(amount(attempt))
            return overflows ? ModelPrice.mostNanodollars : min(more, ModelPrice.mostNanodollars)
        }
    }

    /// Whether nothing was used whose price is not known.
    package var isWhollyPriced: Bool { attempts.allSatisfy { $0.cost != nil } }
}
