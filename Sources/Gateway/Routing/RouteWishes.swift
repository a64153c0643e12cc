import Base
import JSON
import Providers

/// What a request says of who may answer it, besides naming a model: `models`, to fall back on, and `provider`. The
/// names are OpenRouter's, and belong to it where the model is one of its own.
struct RouteWishes: Equatable, Sendable {
    struct Model: Equatable, Sendable {
        var name: String
        /// Of several with weights one is drawn; the others come behind it. nil: in their order.
        var weight: Int?
    }

    /// Behind the one that `model` names.
    var models: [Model] = []
    var policy = RoutePolicy()

    var areNone: Bool { models.isEmpty && policy == RoutePolicy() }

    static let largestModelCount = 16
    private static let fields: [JSONPathStep] = ["models", "provider"]

    /// The wishes, and the request without them.
    static func take(from document: JSONDocument, model: String) throws(Problem) -> (
        RouteWishes, JSONDocument
    ) {
        let models = document["models"]
        let provider = document["provider"]
        if models == nil && provider == nil || model.hasPrefix("openrouter/") {
            return (RouteWishes(), document)
        }
        var reader = RouteWishesReader()
        let wishes = reader.read(models, provider)
        if let problem = reader.problem { throw problem }
        do {
            return (wishes, try JSONDocument(parsing: document.patched(fields.map { .remove([$0]) })))
        } catch {
            preconditionFailure("a document without two of its members is one: \(error)")
        }
    }
}

/// Reads wishes, and policies in the same words.
struct RouteWishesReader {
    private var fields = RequestReader()

    var problem: Problem? { fields.problem }

    mutating func read(_ models: JSONValue?, _ provider: JSONValue?) -> RouteWishes {
        var wishes = RouteWishes()
        if let models = fields.array(models, "models") { wishes.models = read(models: models) }
        if let provider = fields.object(provider, "provider") {
            wishes.policy = read(policy: provider, "provider.")
        }
        return wishes
    }

    private mutating func read(models: JSONValue) -> [RouteWishes.Model] {
        guard models.count <= RouteWishes.largestModelCount else {
            fields.fault("models", "must be a list of at most \(RouteWishes.largestModelCount) models")
            return []
        }
        return models.elements.enumerated().compactMap { index, value in
            if let name = value.string, !name.isEmpty { return .init(name: name) }
            if let name = value["model"]?.string, !name.isEmpty, let weight = value["weight"]?.int,
                (0...1_000_000).contains(weight)
            {
                return .init(name: name, weight: weight)
            }
            fields.fault(
                "models[\(index)]", "must be a model's name, or an object with \"model\" and \"weight\"")
            return nil
        }
    }

    /// What an organization says of itself: a policy, and whose keys are used.
    mutating func read(rules: JSONValue) -> RoutingRules {
        var rulesRead = RoutingRules()
        rulesRead.usesInstanceKeys =
            fields.flag(rules["use_instance_keys"], Self.instanceKeys) ?? rulesRead.usesInstanceKeys
        rulesRead.policy = read(policy: rules, "", besides: Self.instanceKeys)
        return rulesRead
    }

    private static let instanceKeys = "use_instance_keys"

    private mutating func read(
        policy: JSONValue, _ path: String, besides other: String? = nil
    ) -> RoutePolicy {
        var policyRead = RoutePolicy()
        for member in policy.members where member.key.string != other {
            let value = member.value
            switch member.key {
            case "order": policyRead.order = names(value, "\(path)order")
            case "only": policyRead.only = names(value, "\(path)only")
            case "ignore": policyRead.ignore = names(value, "\(path)ignore")
            case "regions": policyRead.regions = names(value, "\(path)regions")
            case "allow_fallbacks":
                policyRead.allowsFallbacks = fields.flag(value, "\(path)allow_fallbacks") ?? true
            case "sort": policyRead.sort = fields.choice(value, "\(path)sort")
            case "data_collection":
                let choice: DataCollection? = fields.choice(value, "\(path)data_collection")
                policyRead.allowsRetention = choice != .deny
            case "max_price":
                policyRead.highestPrice = RoutePolicy.Price(
                    input: price(value["prompt"], "\(path)max_price.prompt"),
                    output: price(value["completion"], "\(path)max_price.completion"))
            default:
                fields.fault(
                    "\(path)\(member.key.string.prefix(64))",
                    "is not known; there are order, only, ignore, regions, allow_fallbacks, sort, "
                        + "data_collection and max_price")
            }
        }
        return policyRead
    }

    private enum DataCollection: String, CaseIterable { case allow, deny }

    private mutating func names(_ value: JSONValue, _ field: String) -> [String] {
        guard let names = fields.texts(value, field) else { return [] }
        if names.count <= Self.largestNameCount { return names }
        fields.fault(field, "must be a list of at most \(Self.largestNameCount) names")
        return []
    }

    private static let largestNameCount = 64

    /// Dollars for a million tokens, as OpenRouter has it, in pico-dollars for a token.
    private mutating func price(_ value: JSONValue?, _ field: String) -> Int? {
        guard let dollars = fields.number(value, field) else { return nil }
        if (0...1_000_000).contains(dollars) { return Int((dollars * 1_000_000).rounded(.down)) }
        fields.fault(field, "must be dollars for a million tokens")
        return nil
    }
}
