package import Admission
package import Base
package import Billing
package import Budgets
package import Cache
package import Catalog
package import HTTPClient
import HTTPServer
package import Identity
package import Loop

/// A loop's gateway: what its handlers work with.
// Confined to its loop.
package final class Gateway: @unchecked Sendable {
    /// How a request reaches an upstream, and how long it may take.
    package struct Limits: Sendable {
        package var upstream = HTTPClientRequest.Deadlines(
            connect: .seconds(5), firstByte: .seconds(120), betweenBytes: .seconds(60), total: .seconds(1800))
        /// How long a stream may be silent before its client gets a sign of life.
        package var silence = Duration.seconds(15)
        /// Requests in a minute from an address, of nobody who is known; 0: any number.
        package var addressRequestsPerMinute = 0
        /// How often all candidates are asked again.
        package var repetitions = 2
        package var firstPause = Duration.milliseconds(200)
        /// Whoever has to wait longer is told so instead.
        package var longestPause = Duration.seconds(2)
        /// How long a key rests whose provider says that it is over its limit, and not for how long.
        package var usualRest = Duration.seconds(1)
        package var longestRest = Duration.seconds(300)
        /// An answer that is not streamed is held whole.
        package var largestAnswer = 64 * 1024 * 1024
        package var images = ImageFetchLimits()
        /// Whether a request may refer to what a provider keeps for the instance's account, by its id alone.
        package var sharesProviderState = false

        /// How answers are kept for organizations that do not say.
        package var cachePolicy = CachePolicy()
        /// What compares questions for organizations that wish it and name no other; nil: nothing does.
        package var semanticCacheModel: String?
        /// For that model to answer; later it counts as having said nothing.
        package var semanticPatience = Duration.seconds(2)
        /// Whether every byte of a request is reserved as a token, instead of what such requests have taken before.
        package var countsBytesAsTokens = false

        /// How often it is asked whether those who watch calls still may.
        package var watcherCheck = Duration.seconds(5)
        /// Then they are to come again.
        package var longestWatch = Duration.seconds(3600)

        /// Whether nobody is asked whose price is not known.
        package var requiresPrices = false
        /// What becomes of a request that a budget has no money for.
        package var budgets = BudgetMode.off
        /// Whether organizations pay for what they use: from wallets, and with a commission.
        package var takesPayment = false

        package init() { cachePolicy.isEnabled = false }
    }

    let loop: EventLoop
    let keys: KeyRing
    package let identity: IdentityServices
    /// The proxies whose word on a client's address counts.
    let trustedNetworks: [IPNetwork]
    let clients: OutboundClients
    let upstreams: InstanceUpstreams
    let ownRoutes: OwnRoutesFinder
    let router: ModelRouter
    let catalog: SharedCatalog
    package let gatekeeper: Gatekeeper
    let subjects: CallerSubjects
    let money = CallerMoney()
    let tokenBound: TokenBound
    let answers: CacheStore
    let cacheStatistics: CacheStatistics
    let purges: BackgroundPurges
    let questionNotes = QuestionNotes()
    let requests = RequestMemory()
    let candidateMemory = CandidateMemory()
    private var numbers = UniqueNumbers()
    /// Answers that are being made, on all loops of the process.
    let flights: FlightTable
    let errors: ErrorResponder
    /// Is told of every request to a provider when it has ended.
    let note: @Sendable (AttemptReport) -> Void
    /// Keeps what calls have used; nil: nobody wants to know.
    package let meter: Meter?
    /// What organizations pay for; nil: nobody pays here.
    package let billing: BillingServices?
    package let budgets: BudgetStore
    /// Requests that are done once; nil: nobody remembers them.
    let idempotency: IdempotencyStore?
    /// Who watches calls, on all loops of the process.
    let live: LiveCalls
    let models: ModelList
    let health: HealthReport
    let metrics: Metrics
    let logger: Logger
    let time: TimeSource
    let limits: Limits

    package init(
        on loop: EventLoop, keys: KeyRing, identity: IdentityServices, trustedNetworks: [IPNetwork] = [],
        gatekeeper: Gatekeeper, answers: CacheStore, cacheStatistics: CacheStatistics = CacheStatistics(),
        flights: FlightTable = FlightTable(),
        clients: OutboundClients, upstreams: InstanceUpstreams,
        ownRoutes: OwnRoutesMemory, health: HealthReport,
        metrics: Metrics, logger: Logger, note: @escaping @Sendable (AttemptReport) -> Void = { _ in },
        meter: Meter? = nil, billing: BillingServices? = nil, idempotency: IdempotencyStore? = nil,
        live: LiveCalls = LiveCalls(), time: TimeSource = .live, limits: Limits = Limits(),
        catalog: SharedCatalog = SharedCatalog()
    ) {
        self.meter = meter
        budgets = BudgetStore(identity.store.pool, identity: identity.store, time: time)
        self.billing = billing
        self.idempotency = idempotency
        self.live = live
        self.loop = loop
        self.keys = keys
        self.identity = identity
        self.trustedNetworks = trustedNetworks
        self.clients = clients
        self.upstreams = upstreams
        self.ownRoutes = OwnRoutesFinder(on: loop, ownRoutes, identity.store, upstreams)
        router = ModelRouter(upstreams.directory, catalog: catalog)
        self.gatekeeper = gatekeeper
        subjects = CallerSubjects(gatekeeper)
        self.answers = answers
        self.cacheStatistics = cacheStatistics
        purges = BackgroundPurges(on: loop, answers, logger: logger)
        self.flights = flights
        tokenBound = TokenBound(isStrict: limits.countsBytesAsTokens)
        self.note = note
        self.catalog = catalog
        errors = ErrorResponder(logger: logger)
        self.health = health
        self.metrics = metrics
        self.logger = logger
        self.time = time
        self.limits = limits
        models = ModelList(clients, catalog: catalog, logger: logger, time: time)
    }

    /// A name for what is no secret.
    func makeID(at now: Timestamp) -> UUID { .make(at: now, numbers.next()) }
}
