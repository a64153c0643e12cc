import Admission
import Base
import JSON
import Testing

struct EffectiveLimitsTests {
    private static func layers(
        plan: String = "{}", overrides: String = "{}", own: String = "{}"
    ) throws -> LimitLayers {
        try LimitLayers(plan: Array(plan.utf8), overrides: Array(overrides.utf8), own: Array(own.utf8))
    }

    private static let user = UUID.make()
    private static let key = UUID.make()

    private static func limits(_ layers: LimitLayers, key own: String = "{}") -> EffectiveLimits {
        EffectiveLimits(layers, user: user, key: key, keyLimits: Limits(stored: Array(own.utf8)))
    }

    @Test func `nobody is limited where nobody says so`() throws {
        for limits in [Self.limits(.empty), Self.limits(try Self.layers())] {
            #expect(limits.isEmpty && limits.all.isEmpty && !limits.hasMonths)
            #expect(limits.model("any").isEmpty && limits.group(.chat).isEmpty)
        }
    }

    @Test func `an operator's word replaces the plan's, up, down or away, and leaves the rest`() throws {
        let limits = Self.limits(
            try Self.layers(
                plan:
                    #"{"organization":{"requests_per_minute":10,"requests_per_month":100,"tokens_per_month":5}}"#,
                overrides: #"{"organization":{"requests_per_minute":50,"requests_per_month":null}}"#))
        #expect(limits.organization == Limits(requests: .init(minute: 50), tokens: .init(month: 5)))
        #expect(limits.all.map(\.source) == [.operator, .plan])
        #expect(limits.hasMonths)
    }

    @Test func `an organization and a key narrow what they have, and widen nothing`() throws {
        let plan = #"{"organization":{"requests_per_day":100},"key":{"requests_per_day":20}}"#
        let own =
            #"{"organization":{"requests_per_day":500,"concurrent_requests":3},"key":{"requests_per_day":10}}"#
        let layers = try Self.layers(plan: plan, own: own)
        let wide = Self.limits(layers, key: #"{"requests_per_day":15}"#)
        #expect(wide.organization == Limits(requests: .init(day: 100), concurrent: 3))
        #expect(wide.key.requests.day == 10)
        let narrow = Self.limits(layers, key: #"{"requests_per_day":0}"#)
        #expect(narrow.key.requests.day == 0)
        #expect(narrow.entries(of: .key(Self.key)).map(\.source) == [.key])
    }

    @Test func `a rule for one user lies over the rule for each, and exempts from it`() throws {
        let exempt = UUID.make()
        let layers = try Self.layers(
            plan: #"{"user":{"tokens_per_hour":1000}}"#,
            own:
                #"{"user":{"tokens_per_hour":7,"tokens_per_day":9},"users":{"\#(exempt)":{"tokens_per_hour":null}}}"#
        )
        #expect(Self.limits(layers).user == Limits(tokens: .init(hour: 7, day: 9)))
        let other = EffectiveLimits(layers, user: exempt, key: nil)
        // Of what the organization says itself, and of nothing that it was given.
        #expect(other.user == Limits(tokens: .init(hour: 1000, day: 9)))
        #expect(other.key.isEmpty)
    }

    @Test func `what is shown names each model that a rule names, and each group`() throws {
        let limits = Self.limits(
            try Self.layers(
                plan: #"{"model":{"requests_per_minute":9}}"#,
                own:
                    #"{"models":{"b":{"requests_per_minute":5},"a":{"tokens_per_day":1}},"groups":{"images":{"concurrent_requests":0}}}"#
            ))
        let shown = limits.all.map { "\($0.subject) \($0.kind.rawValue) \($0.value) \($0.source.rawValue)" }
        #expect(
            shown == [
                "model requests_per_minute 9 plan", "model:a requests_per_minute 9 plan",
                "model:a tokens_per_day 1 organization", "model:b requests_per_minute 5 organization",
                "group:images concurrent_requests 0 organization",
            ])
        #expect(limits.model("c") == Limits(requests: .init(minute: 9)))
        #expect(limits.group(.images).concurrent == 0 && limits.group(.chat).isEmpty)
    }

    @Test func `what holds is what a naive reading of the layers says`() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        for round in 0..<300 {
            let naive = NaiveLayers.random(&random)
            let what: Comment = "seed \(seed), round \(round)"
            let layers = try LimitLayers(
                plan: NaiveLayers.json(naive.plan), overrides: NaiveLayers.json(naive.overrides),
                own: NaiveLayers.json(naive.own))
            var key = JSONWriter()
            NaiveLayers.write(naive.key, to: &key)
            for user in NaiveLayers.users + [.make()] {
                for keyID in NaiveLayers.keys + [.make()] {
                    let limits = EffectiveLimits(
                        layers, user: user, key: keyID, keyLimits: Limits(stored: key.bytes))
                    Self.compare(limits, naive, user, keyID, what)
                }
            }
        }
    }

    private static func compare(
        _ limits: EffectiveLimits, _ naive: NaiveLayers, _ user: UUID, _ key: UUID, _ what: Comment
    ) {
        func compare(
            _ found: Limits, _ subject: LimitSubject, _ path: String, under general: String? = nil,
            ofKey: Bool = false
        ) {
            let entries = limits.entries(of: subject)
            for kind in LimitKind.allCases {
                let expected = naive.bound(kind.rawValue, at: path, under: general, ofKey: ofKey)
                let entry = entries.first { $0.kind == kind }
                #expect(found[kind] == expected?.0, "\(what), \(path), \(kind.rawValue)")
                #expect(entry?.value == expected?.0, what)
                #expect(entry?.source.rawValue == expected?.source, "\(what), \(path), \(kind.rawValue)")
            }
        }
        compare(limits.organization, .organization, "organization")
        compare(limits.user, .user(user), "users.\(user)", under: "user")
        compare(limits.key, .key(key), "keys.\(key)", under: "key", ofKey: true)
        for name in NaiveLayers.models + ["of nobody"] {
            compare(limits.model(name), .model(name), "models.\(name)", under: "model")
        }
        for group in EndpointGroup.allCases {
            compare(limits.group(group), .group(group), "groups.\(group.rawValue)")
        }
        let isEmpty = limits.all.isEmpty && limits.model("of nobody").isEmpty
        if limits.isEmpty { #expect(isEmpty, what) }
    }
}
