import Admission

/// Limits and their rules, described once.
extension Schema {
    /// Of one subject.
    static let limits = Schema.object(limitFields(isNullable: false)).named("Limits")
    /// Where they lie over others: `null` lifts one.
    private static let liftingLimits = Schema.object(limitFields(isNullable: true)).named("LiftingLimits")

    /// An organization's own.
    static let limitRules = rules(limits).named("LimitRules")
    /// Over a plan.
    static let limitOverrides = rules(liftingLimits).named("LimitOverrides")

    static let timeZone = Schema.line(1...64)

    private static func limitFields(isNullable: Bool) -> [Field] {
        LimitKind.allCases.map { kind in
            .optional(
                kind.rawValue, .integer(0...kind.largest), isNullable: isNullable,
                kind.description + (isNullable ? " 0 blocks; null does not limit." : " 0 blocks."))
        }
    }

    /// For each user, key and model there may be others of those that are named, which lie over these.
    private static func rules(_ limits: Schema) -> Schema {
        func map(_ keys: TextRule) -> Schema {
            .map(of: liftingLimits, keys: keys, maximumCount: LimitRules.largestCount)
        }
        return .object([
            .optional("organization", limits, "For all requests of the organization together."),
            .optional("user", limits, "For each user."),
            .optional("users", map(.uuid), "For some users, by their id, over `user`."),
            .optional("key", limits, "For each API key."),
            .optional("keys", map(.uuid), "For some keys, by their id, over `key`."),
            .optional("model", limits, "For each model."),
            .optional(
                "models", map(.line(1...LimitRules.longestName)),
                "For some models, by their id, over `model`."),
            .optional(
                "groups",
                .object(
                    EndpointGroup.allCases.map { group in
                        .optional(group.rawValue, limits, group.description)
                    }), "For groups of endpoints."),
        ])
    }

    /// What holds of one kind for one subject.
    static let effectiveLimit = Schema.object([
        Field("subject", .choice(LimitSubject.kinds), "Whom or what it is about."),
        Field(
            "name", .string(1...LimitRules.longestName), isNullable: true,
            "Which model or group; null for each model that is not named, and for the caller's own."),
        Field("limit", .choice(of: LimitKind.self), "What is limited."),
        Field("value", .integer(0...Limits.largest), "How much there may be."),
        Field("source", .choice(of: LimitSource.self), "Who says so."),
        .optional(
            "used", .integer(0...Int.max),
            "How much of it is used. Left out for each model that is not named, and where it is not known at the "
                + "moment."),
        .optional("remaining", .integer(0...Limits.largest), "How much is left."),
        .optional(
            "resets_in_seconds", .integer(0...32 * 86_400), isNullable: true,
            "When nothing is used any more, if nothing comes; null where nothing is, and for requests under way."
        ),
    ]).named("EffectiveLimit")
}

extension LimitKind {
    fileprivate var description: String {
        switch self {
        case .window(let name):
            (name.quantity == .requests ? "Requests" : "Tokens")
                + (name.span == .month
                    ? " in a calendar month." : " in \(name.span == .hour ? "an" : "a") \(name.span).")
        case .underway: "Requests under way at once."
        }
    }
}

extension EndpointGroup {
    fileprivate var description: String {
        switch self {
        case .chat: "Conversations, in every dialect."
        case .embeddings: "Embeddings."
        case .images: "Images that are made."
        case .management: "Everything but calls of models."
        }
    }
}

extension LimitSubject {
    fileprivate static let kinds = ["organization", "user", "key", "model", "group"]

    /// As `EffectiveLimit` has it.
    var kind: String {
        switch self {
        case .organization: "organization"
        case .user: "user"
        case .key: "key"
        case .model, .eachModel: "model"
        case .group: "group"
        // They are in no list.
        case .tag: "tag"
        case .address: "address"
        }
    }

    var name: String? {
        switch self {
        case .organization, .user, .key, .eachModel, .tag, .address: nil
        case .model(let model): model
        case .group(let group): group.rawValue
        }
    }
}
