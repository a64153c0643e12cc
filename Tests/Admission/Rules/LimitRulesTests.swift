import Admission
import Base
import JSON
import Testing

struct LimitRulesTests {
    private static func rules(_ json: String, overrides: Bool = false) throws(Problem) -> LimitRules {
        try LimitRules(json: Array(json.utf8), overrides: overrides)
    }

    private static func faults(_ json: String, overrides: Bool = false) -> [String] {
        do throws(Problem) {
            _ = try rules(json, overrides: overrides)
            return []
        } catch {
            return error.faults.map { "\($0.field) \($0.message)" }
        }
    }

    @Test func `rules are written as they were read, in one spelling`() throws {
        let rules = try Self.rules(
            """
            {"users": {"0199AAAA-0000-7000-8000-00000000000A": {"tokens_per_day": 1e3}}, "user": {},
             "groups": {"images": {"requests_per_hour": 0}}, "models": {"x/y": {}, "a": {"concurrent_requests": null}},
             "organization": {"requests_per_minute": 10.0, "tokens_per_month": 100000000000}}
            """)
        let text = String(decoding: rules.json, as: UTF8.self)
        #expect(
            text
                == #"{"groups":{"images":{"requests_per_hour":0}},"models":{"a":{"concurrent_requests":null}},"#
                + #""organization":{"requests_per_minute":10,"tokens_per_month":100000000000},"#
                + #""users":{"0199aaaa-0000-7000-8000-00000000000a":{"tokens_per_day":1000}}}"#)
        #expect(try Self.rules(text).json == rules.json)
        #expect(try Self.rules(#"{"user":{},"models":{"a":{}}}"#).json == Array("{}".utf8))
    }

    @Test func `random rules come back equal, and equal rules are the same bytes`() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        for round in 0..<200 {
            let layer = NaiveLayers.random(&random).overrides
            let one = try LimitRules(json: NaiveLayers.json(layer), overrides: true)
            let again = try LimitRules(json: one.json, overrides: true)
            #expect(again.json == one.json, "seed \(seed), round \(round)")
            // The order within the document is another each time.
            let other = try LimitRules(json: NaiveLayers.json(layer), overrides: true)
            #expect(other == one && other.json == one.json, "seed \(seed), round \(round)")
        }
    }

    @Test func `all that is wrong with rules is said at once, by its field`() {
        let json = """
            {"organization":{"requests_per_minute":-1,"tokens_per_day":1.5,"concurrent_requests":1000001},
             "user":{"requests_per_month":100000000001,"per_year":1},"model":"none","users":{"me":{}},
             "groups":{"video":{}},"models":{"":{},"m":{"tokens_per_hour":"9"}},"colour":{}}
            """
        #expect(
            Set(Self.faults(json)) == [
                "organization.requests_per_minute must be a whole number between 0 and 100000000000",
                "organization.tokens_per_day must be a whole number between 0 and 100000000000",
                "organization.concurrent_requests must be a whole number between 0 and 1000000",
                "user.requests_per_month must be a whole number between 0 and 100000000000",
                "user.per_year is not known here", "model must be an object",
                "users.me is none that there can be", "groups.video is none that there can be",
                "models. is none that there can be",
                "models.m.tokens_per_hour must be a whole number between 0 and 100000000000",
                "colour is not known here",
            ])
        #expect(Self.faults("[]") == [" must be an object"])
        #expect(Self.faults("{") == [" must be JSON"])
    }

    @Test func `that something is not limited can be said only over a rule that limits it`() {
        let everywhere = ["organization", "user", "key", "model"].map {
            #"{"\#($0)":{"tokens_per_day":null}}"#
        }
        for json in everywhere + [#"{"groups":{"chat":{"tokens_per_day":null}}}"#] {
            #expect(Self.faults(json).count == 1, "\(json)")
            #expect(Self.faults(json, overrides: true) == [], "\(json)")
        }
        let id = UUID.make()
        for json in [
            #"{"users":{"\#(id)":{"tokens_per_day":null}}}"#, #"{"models":{"m":{"tokens_per_day":null}}}"#,
        ] {
            #expect(Self.faults(json) == [], "\(json)")
        }
    }

    @Test func `one user is not named twice, and there are not too many`() {
        let id = UUID.make().description
        let twice = #"{"users":{"\#(id)":{"tokens_per_day":1},"\#(id.uppercased())":{"tokens_per_day":9}}}"#
        #expect(Self.faults(twice) == ["users.\(id.uppercased()) is there already, in another spelling"])
        func models(_ count: Int) -> String {
            #"{"models":{\#((0..<count).map { #""m\#($0)":{"tokens_per_day":1}"# }.joined(separator: ","))}}"#
        }
        #expect(Self.faults(models(1000)) == [])
        #expect(Self.faults(models(1001)) == ["models must have at most 1000 fields"])
    }

    @Test func `a key's own limits are read as any release has stored them`() {
        func stored(_ json: String) -> Limits { Limits(stored: Array(json.utf8)) }
        #expect(stored("{}").isEmpty)
        #expect(
            stored(#"{"requests_per_minute": 600, "tokens_per_day": 1000000000000, "of_tomorrow": 1}"#)
                == Limits(requests: .init(minute: 600), tokens: .init(day: Limits.largest)))
        #expect(
            stored(#"{"tokens_per_hour": 1e30, "tokens_per_day": 1.5}"#).tokens
                == .init(hour: Limits.largest, day: 1))
        #expect(stored(#"{"concurrent_requests": "many"}"#) == Limits(concurrent: 0))
        #expect(stored(#"{"concurrent_requests": null}"#).isEmpty)
    }
}
