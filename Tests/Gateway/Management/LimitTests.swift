import Base
import Identity
import JSON
import Postgres
import Testing

/// What limits organizations: who sets it, and what callers are told of it.
struct LimitTests {
    private typealias Person = ManagementWorld.Person

    private static func own(_ person: Person) -> String {
        "/api/v1/organizations/\(person.organization)/limits"
    }

    private static func any(_ organization: UUID) -> String {
        "/api/v1/admin/organizations/\(organization)/limits"
    }

    private static func newOperator(_ world: ManagementWorld) async throws -> Person {
        let boss = try await world.newPerson("boss")
        try await world.store.addOperator(boss.user, by: .command)
        return boss
    }

    /// What holds for somebody, a line for each limit.
    private static func effective(
        _ credential: ManagementWorld.Credential, _ world: ManagementWorld
    ) async throws -> [String] {
        let answer = try await world.send("GET", "/api/v1/limits", as: credential)
        #expect(answer.status == 200, "\(answer.text)")
        return answer.json?["limits"]?.elements.map { limit in
            let name = limit["name"]?.string.map { ":\($0)" } ?? ""
            return [
                "\(limit["subject"]?.string ?? "")\(name)", limit["limit"]?.string ?? "",
                "\(limit["value"]?.int ?? -1)", limit["source"]?.string ?? "",
            ].joined(separator: " ")
        } ?? []
    }

    private static func faults(_ answer: ManagementWorld.Answer) -> Set<String> {
        Set(answer.json?["error"]?["errors"]?.elements.compactMap { $0["field"]?.string } ?? [])
    }

    @Test func `nobody is limited until somebody says so`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let key = try await world.newKey(of: ann, #"{"name":"k"}"#)
            for credential in [ManagementWorld.Credential.bearer(ann.token), .bearer(key)] {
                let answer = try await world.send("GET", "/api/v1/limits", as: credential)
                let expected =
                    #"{"organization_id":"\#(ann.organization)","plan":null,"time_zone":"UTC","limits":[]}"#
                #expect(answer.text == expected)
            }
            let shown = try await world.send("GET", Self.own(ann), as: ann)
            #expect(
                shown.text
                    == #"{"organization_id":"\#(ann.organization)","plan":null,"limits":{},"time_zone":"UTC"}"#
            )
        }
    }

    @Test
    func `what plan, operator, organization and key say is told with the next request, and who said it`()
        async throws
    {
        try await ManagementWorld.run { world in
            let boss = try await Self.newOperator(world)
            let ann = try await world.newPerson("ann")
            let key = try await world.newKey(
                of: ann, #"{"name":"k","limits":{"tokens_per_month":500,"concurrent_requests":0}}"#)
            #expect(
                try await Self.effective(.bearer(key), world) == [
                    "key tokens_per_month 500 key", "key concurrent_requests 0 key",
                ])
            let given = try await world.send(
                "PUT", Self.any(ann.organization), as: boss,
                #"""
                {"plan":"free","overrides":{"organization":{"requests_per_month":null,"requests_per_hour":9},
                "key":{"tokens_per_month":400}}}
                """#)
            #expect(given.status == 200 && given.json?["plan"]?.string == "free", "\(given.text)")
            let said = try await world.send(
                "PUT", Self.own(ann), as: ann,
                #"""
                {"limits":{"organization":{"requests_per_minute":3},"user":{"requests_per_day":70},
                "users":{"\#(ann.user)":{"requests_per_day":7}},"model":{"tokens_per_day":5},
                "models":{"a/b":{"tokens_per_day":null,"tokens_per_hour":1}},"groups":{"images":{"requests_per_day":0}}},
                "time_zone":"europe/berlin"}
                """#)
            #expect(said.status == 200, "\(said.text)")
            #expect(
                said.json?["time_zone"]?.string == "Europe/Berlin" && said.json?["plan"]?.string == "free")
            #expect(said.json?["limits"]?["models"]?["a/b"]?["tokens_per_day"]?.isNull == true)
            let forAll = [
                "organization requests_per_minute 3 organization",
                "organization requests_per_hour 9 operator",
                "organization tokens_per_month 100000 plan", "user requests_per_day 7 organization",
            ]
            let others = [
                "model tokens_per_day 5 organization", "model:a/b tokens_per_hour 1 organization",
                "group:images requests_per_day 0 organization",
            ]
            let ofKey = ["key tokens_per_month 400 operator", "key concurrent_requests 0 key"]
            #expect(try await Self.effective(.bearer(key), world) == forAll + ofKey + others)
            #expect(try await Self.effective(.bearer(ann.token), world) == forAll + others)

            // What is left out stays.
            _ = try await world.send("PUT", Self.any(ann.organization), as: boss, #"{"plan":null}"#)
            let left = try await world.send("GET", Self.any(ann.organization), as: boss)
            #expect(left.json?["overrides"]?["organization"]?["requests_per_hour"]?.int == 9)
            #expect(left.json?["time_zone"]?.string == "Europe/Berlin" && left.json?["plan"]?.isNull == true)
            _ = try await world.send("PUT", Self.any(ann.organization), as: boss, #"{"overrides":{}}"#)
            let cleared = try await world.send(
                "PUT", Self.own(ann), as: ann, #"{"limits":{},"time_zone":"UTC"}"#)
            #expect(cleared.json?["limits"]?.count == 0)
            #expect(
                try await Self.effective(.bearer(key), world) == [
                    "key tokens_per_month 500 key", "key concurrent_requests 0 key",
                ])
        }
    }

    @Test func `an organization cannot change its plan, nor what the operator says over it`() async throws {
        try await ManagementWorld.run { world in
            // The first account of an instance manages it.
            _ = try await Self.newOperator(world)
            let ann = try await world.newPerson("ann")
            let forbidden = try await world.send(
                "PUT", Self.any(ann.organization), as: ann, #"{"plan":"enterprise"}"#)
            #expect((forbidden.status, forbidden.code) == (403, "role_forbidden"))
            for field in ["plan", "overrides", "limit_overrides"] {
                let answer = try await world.send(
                    "PUT", Self.own(ann), as: ann, #"{"\#(field)":{"organization":{}}}"#)
                #expect(answer.status == 422 && Self.faults(answer) == [field], "\(answer.text)")
            }
            let renamed = try await world.send(
                "PATCH", "/api/v1/organizations/\(ann.organization)", as: ann,
                #"{"name":"x","plan":"enterprise"}"#)
            #expect(renamed.status == 422)
            let bob = try await world.newMember("bob", of: ann, as: .member)
            let refused = try await world.send("PUT", Self.own(ann), as: bob, #"{"limits":{}}"#)
            #expect((refused.status, refused.code) == (403, "role_forbidden"))
            #expect(try await world.send("GET", Self.own(ann), as: bob).status == 200)
            let other = try await world.newPerson("other")
            #expect(try await world.send("GET", Self.own(ann), as: other).status == 404)
            #expect(try await world.send("PUT", Self.own(ann), as: other, "{}").status == 404)
        }
    }

    @Test func `all that is wrong with rules is said at once, and nothing is changed`() async throws {
        try await ManagementWorld.run { world in
            let boss = try await Self.newOperator(world)
            let ann = try await world.newPerson("ann")
            let bad = try await world.send(
                "PUT", Self.own(ann), as: ann,
                #"""
                {"limits":{"organization":{"requests_per_minute":-1,"tokens_per_day":null,"tokens_per_hour":0.5},
                "user":{"tokens_per_month":100000000001,"concurrent_requests":1000001},"users":{"me":{}},
                "groups":{"video":{}}},"time_zone":""}
                """#)
            #expect(bad.status == 422, "\(bad.text)")
            #expect(
                Self.faults(bad) == [
                    "limits.organization.requests_per_minute", "limits.organization.tokens_per_day",
                    "limits.organization.tokens_per_hour", "limits.user.tokens_per_month",
                    "limits.user.concurrent_requests", "limits.users.me", "limits.groups.video", "time_zone",
                ])
            let twice = #"{"\#(ann.user)":{},"\#(ann.user.description.uppercased())":{}}"#
            let doubled = try await world.send(
                "PUT", Self.any(ann.organization), as: boss, #"{"overrides":{"users":\#(twice)}}"#)
            #expect(doubled.status == 422, "\(doubled.text)")
            #expect(Self.faults(doubled).first?.hasPrefix("overrides.users.") == true)
            let cases = [
                (#"{"plan":"platinum"}"#, "unknown_plan", "plan"),
                (#"{"plan":"pro","time_zone":"Europe/Atlantis"}"#, "unknown_time_zone", "time_zone"),
            ]
            for (body, code, field) in cases {
                let answer = try await world.send("PUT", Self.any(ann.organization), as: boss, body)
                #expect((answer.status, answer.code) == (422, code), "\(answer.text)")
                #expect(answer.json?["error"]?["param"]?.string == field)
            }
            let nobody = try await world.send("PUT", Self.any(.make()), as: boss, "{}")
            #expect(nobody.status == 404)
            let shown = try await world.send("GET", Self.any(ann.organization), as: boss)
            #expect(shown.json?["plan"]?.isNull == true && shown.json?["overrides"]?.count == 0)
        }
    }

    @Test func `there may be rules for a thousand users, and no more`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            func users(_ count: Int) -> String {
                let rules = (0..<count).map {
                    #""\#(UUID(high: 1, low: UInt64($0)))":{"requests_per_minute":1000}"#
                }
                return #"{"limits":{"users":{\#(rules.joined(separator: ","))}}}"#
            }
            let most = try await world.send("PUT", Self.own(ann), as: ann, users(1000))
            #expect(most.status == 200 && most.json?["limits"]?["users"]?.count == 1000)
            let more = try await world.send("PUT", Self.own(ann), as: ann, users(1001))
            #expect(more.status == 422 && Self.faults(more) == ["limits.users"], "\(more.text.prefix(300))")
        }
    }

    @Test func `a key's limits may block and count months, and those of older releases are shown`()
        async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let limits = #"{"requests_per_minute":0,"requests_per_month":7,"tokens_per_month":100000000000}"#
            let made = try await world.send(
                "POST", "/api/auth/api-keys", as: ann, #"{"name":"k","limits":\#(limits)}"#)
            #expect(made.status == 201 && made.text.contains(#""limits":\#(limits)"#), "\(made.text)")
            let path = "/api/auth/api-keys/\(made.json?["id"]?.string ?? "")"
            let refused = try await world.send(
                "PATCH", path, as: ann, #"{"limits":{"tokens_per_day":100000000001,"requests_per_day":null}}"#
            )
            #expect(Self.faults(refused) == ["limits.tokens_per_day", "limits.requests_per_day"])
            try await world.owner.execute(
                #"UPDATE api_keys SET limits = '{"tokens_per_day": 1000000000000, "requests_per_hour": 6}'"#)
            let shown = try await world.send("GET", path, as: ann)
            #expect(
                shown.text.contains(#""limits":{"requests_per_hour":6,"tokens_per_day":100000000000}"#),
                "\(shown.text)")
        }
    }

    @Test func `what an organization says of answers that are kept comes with its callers`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let path = "/api/v1/organizations/\(ann.organization)/cache"
            #expect(try await world.send("GET", path, as: ann).text == "{}")
            let policy = #"""
                {"enabled":true,"ttl_seconds":60,"largest_entry_bytes":1024,"cache_nonzero_temperature":false,
                "coalesce":true,"semantic":{"enabled":true,"threshold":0.95,"model":"sandbox/embed","turns":3}}
                """#
            let set = try await world.send("PUT", path, as: ann, policy)
            #expect(set.status == 200, "\(set.text)")
            #expect(set.json?["semantic"]?["threshold"]?.double == 0.95)
            #expect(try await world.send("GET", path, as: ann).text == set.text)
            let terms = try await world.store.terms(of: ann.organization)
            #expect(terms?.cachePolicy == set.body)
            let bad = try await world.send(
                "PUT", path, as: ann,
                #"""
                {"ttl_seconds":0,"largest_entry_bytes":16777217,"enabled":null,"keep":1,
                "semantic":{"threshold":0.4,"turns":51,"model":""}}
                """#)
            #expect(
                Self.faults(bad) == [
                    "ttl_seconds", "largest_entry_bytes", "enabled", "keep", "semantic.threshold",
                    "semantic.turns", "semantic.model",
                ])
            #expect(try await world.send("PUT", path, as: ann, "{}").text == "{}")
            let left = try await world.store.terms(of: ann.organization)
            #expect(left == nil)
        }
    }

    @Test func `who limits an organization is written down, with what was before`() async throws {
        try await ManagementWorld.run { world in
            let boss = try await Self.newOperator(world)
            let ann = try await world.newPerson("ann")
            _ = try await world.send("PUT", Self.any(ann.organization), as: boss, #"{"plan":"free"}"#)
            _ = try await world.send(
                "PUT", Self.own(ann), as: ann, #"{"limits":{"user":{"requests_per_day":1}}}"#)
            _ = try await world.send(
                "PUT", "/api/v1/organizations/\(ann.organization)/cache", as: ann, #"{"enabled":true}"#)
            let trail = try await world.send("GET", "/api/v1/audit?limit=3", as: ann)
            let entries = trail.json?["data"]?.elements.map(\.self) ?? []
            #expect(
                entries.map { $0["action"]?.string } == [
                    "organization.cache", "organization.limits", "organization.plan",
                ])
            #expect(
                entries.map { $0["actor"]?["user_id"]?.string } == [ann, ann, boss].map(\.user.description))
            #expect(entries.last?["before"]?["plan"]?.isNull == true)
            #expect(entries.last?["after"]?["plan"]?.string == "free")
            #expect(entries.dropFirst().first?["after"]?["limits"]?["user"]?["requests_per_day"]?.int == 1)
            let chain = try await AuditVerification(world.pool, world.audit).verify(ann.organization)
            #expect(chain.breach == nil)
        }
    }
}
