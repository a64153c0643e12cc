import JSON

/// Who may answer, and who is asked first. An organization has one, and a request may narrow it.
struct RoutePolicy: Equatable, Sendable {
    /// Providers in the order in which they are asked; others come behind them.
    var order: [String] = []
    /// None but these, where there are some.
    var only: [String] = []
    var ignore: [String] = []
    /// Whether others than the first may be asked at all.
    var allowsFallbacks = true
    var sort: Sort?
    /// In pico-dollars for a token, which are millionths of dollars for a million. What has no price is not cheap: it is left out where there is a bound.
    var highestPrice: Price?
    /// None but models that are served there, where there are some.
    var regions: [String] = []
    /// Whether providers may keep what is said to them, or learn from it.
    var allowsRetention = true

    enum Sort: String, CaseIterable, Sendable {
        case price, latency, throughput
    }

    struct Price: Equatable, Sendable {
        var input: Int?
        var output: Int?
    }

    /// Both at once: whatever one forbids is forbidden.
    func narrowed(by other: RoutePolicy) -> RoutePolicy {
        var policy = self
        if !other.order.isEmpty { policy.order = other.order }
        policy.only = Self.both(only, other.only)
        policy.ignore += other.ignore.filter { !ignore.contains($0) }
        policy.allowsFallbacks = allowsFallbacks && other.allowsFallbacks
        policy.sort = other.sort ?? sort
        policy.highestPrice = Self.lower(highestPrice, other.highestPrice)
        policy.regions = Self.both(regions, other.regions)
        policy.allowsRetention = allowsRetention && other.allowsRetention
        return policy
    }

    /// A list that nobody is on, where the two have nothing in common: an empty one would allow all.
    private static let nobody = [""]

    private static func both(_ one: [String], _ other: [String]) -> [String] {
        if one.isEmpty { return other }
        if other.isEmpty { return one }
        let common = one.filter(other.contains)
        return common.isEmpty ? nobody : common
    }

    private static func lower(_ one: Price?, _ other: Price?) -> Price? {
        func lower(_ one: Int?, _ other: Int?) -> Int? {
            guard let one else { return other }
            return other.map { min(one, $0) } ?? one
        }
        guard let one, let other else { return one ?? other }
        return Price(input: lower(one.input, other.input), output: lower(one.output, other.output))
    }

    /// Whether a provider may be asked at all.
    func allows(provider: String) -> Bool {
        !ignore.contains(provider) && (only.isEmpty || only.contains(provider))
    }
}

/// An organization's policy, as it wrote it: the words of `provider` in a request, and whose keys are used.
struct RoutingRules: Equatable, Sendable {
    var policy = RoutePolicy()
    /// See `OwnRoutes.usesInstanceKeys`.
    var usesInstanceKeys = false

    init() {}

    init(json: [UInt8]) throws {
        let document = try JSONDocument(parsing: json)
        var reader = RouteWishesReader()
        self = reader.read(rules: document.root)
        if let problem = reader.problem { throw problem }
    }
}
