package import Base
package import Chat

/// An answer that is kept: what was said, and what it takes to say it again.
package struct CachedAnswer: Equatable, Sendable {
    package var content: Content
    package var origin: Origin
    package var storedAt: Timestamp
    package var lifetimeSeconds: Int
    /// Who answered.
    package var provider: String
    /// As clients name it.
    package var model: String
    /// As the provider names it.
    package var upstreamModel: String
    /// What it took, where that is known.
    package var usage: ChatUsage?
    /// What it cost; nil where that is not known.
    package var costNanodollars: Int64?

    /// The request that it was made for, which answers name: said again, they are what they were.
    package struct Origin: Equatable, Sendable {
        package var requestID: String
        package var created: Timestamp
        /// How often providers were asked.
        package var attempts: Int

        package init(requestID: String, created: Timestamp, attempts: Int) {
            self.requestID = requestID
            self.created = created
            self.attempts = attempts
        }
    }

    package enum Content: Equatable, Sendable {
        /// The provider's bytes as they came, in the client's own dialect.
        case forwarded(ChatDialect, isStream: Bool, contentType: String, ArraySlice<UInt8>)
        /// What was said, for whatever dialect it is to be said in; the pieces of a text stay what they were.
        case events([ChatEvent])
    }

    /// More than this is not read back.
    package static let largestBody = 64 << 20
    package static let largestEventCount = 500_000

    package init(
        _ content: Content, origin: Origin, storedAt: Timestamp, lifetimeSeconds: Int, provider: String,
        model: String, upstreamModel: String, usage: ChatUsage? = nil, costNanodollars: Int64? = nil
    ) {
        self.content = content
        self.origin = origin
        self.storedAt = storedAt
        self.lifetimeSeconds = lifetimeSeconds
        self.provider = provider
        self.model = model
        self.upstreamModel = upstreamModel
        self.usage = usage
        self.costNanodollars = costNanodollars
    }

    /// Since when, and for how long, it is kept.
    package struct Keeping: Equatable, Sendable {
        let storedAt: Timestamp
        let lifetimeSeconds: Int

        /// How long it has been kept. A clock that was set back makes nothing younger than new.
        package func age(at now: Timestamp) -> Duration { max(now - storedAt, .zero) }
    }

    package var keeping: Keeping { Keeping(storedAt: storedAt, lifetimeSeconds: lifetimeSeconds) }

    /// What it saves to give it once more.
    package var savings: CacheCounts {
        var counts = CacheCounts()
        counts.tokensSaved = (usage?.totalInput ?? 0) + (usage?.totalOutput ?? 0)
        counts.nanodollarsSaved = Int(costNanodollars ?? 0)
        return counts
    }
}
