import Base
import Identity
import JSON
import Testing

/// What a plan lets a request do.
struct PlanRightsTests {
    private static func complete(
        _ model: String, _ key: String, _ more: String = "", world: ManagementWorld
    ) async throws -> ManagementWorld.Answer {
        try await world.send(
            "POST", "/v1/chat/completions", as: .bearer(key),
            #"{"model":"\#(model)"\#(more),"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#)
    }

    private static func setPlan(_ plan: String, of person: ManagementWorld.Person, _ world: ManagementWorld)
        async throws
    {
        let boss = try await world.newPerson("boss-\(plan)")
        try await world.store.addOperator(boss.user, by: .command)
        let set = try await world.send(
            "PUT", "/api/v1/admin/organizations/\(person.organization)/limits", as: boss,
            #"{"plan":"\#(plan)"}"#)
        #expect(set.status == 200, "\(set.text)")
    }

    @Test func `a request that names more models than the plan allows is refused, until the plan does`()
        async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let key = try await world.newKey(of: ann, #"{"name":"k"}"#)
            let three = #","models":["sandbox/slow","sandbox/story"]"#
            try await Self.setPlan("free", of: ann, world)
            let refused = try await Self.complete("sandbox/echo", key, three, world: world)
            #expect(refused.status == 403 && refused.code == "model_not_in_tier", "\(refused.text)")
            #expect(refused.json?["error"]?["param"]?.string == "models")
            #expect(refused.json?["error"]?["limit_source"]?.string == "plan:models_per_request")
            #expect(refused.text.contains("name 2 models") && refused.text.contains("names 3"))
            // Who is named twice is one.
            let two = try await Self.complete(
                "sandbox/echo", key, #","models":["sandbox/echo","sandbox/slow"]"#, world: world)
            #expect(two.status == 200, "\(two.text)")
            let limits = try await world.send("GET", "/api/v1/billing/limits", as: .bearer(key))
            #expect(limits.json?["plan"]?.string == "free", "\(limits.text)")
            #expect(limits.json?["models_per_request"]?.int == 2)
            let month = limits.list("limits").first { $0["limit"]?.string == "requests_per_month" }
            #expect(month?["value"]?.int == 100 && month?["used"]?.int == 1)

            try await Self.setPlan("starter", of: ann, world)
            let allowed = try await Self.complete("sandbox/echo", key, three, world: world)
            #expect(allowed.code != "model_not_in_tier", "\(allowed.text)")
        }
    }

    @Test func `a plan without a feature is told where it is wanted, and one with it is not`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let table = "/api/v1/audit?format=csv"
            #expect(try await world.send("GET", table, as: ann).status == 200, "without a plan")
            try await Self.setPlan("free", of: ann, world)
            let export = try await world.send("GET", table, as: ann)
            #expect(export.status == 403 && export.code == "feature_not_in_tier", "\(export.text)")
            #expect(export.json?["error"]?["limit_source"]?.string == "plan:features")
            #expect(try await world.send("GET", "/api/v1/audit", as: ann).status == 200)
            let provider = try await world.send(
                "PUT", "/api/v1/organizations/\(ann.organization)/sso", as: ann,
                #"{"issuer":"https://login.example.com","client_id":"hivegate","client_secret":"s"}"#)
            #expect(provider.status == 403 && provider.code == "feature_not_in_tier", "\(provider.text)")
            try await Self.setPlan("enterprise", of: ann, world)
            #expect(try await world.send("GET", table, as: ann).status == 200)
        }
    }

    @Test func `a plan says which models it has`() async throws {
        try await ManagementWorld.run { world in
            let boss = try await world.newPerson("boss")
            try await world.store.addOperator(boss.user, by: .command)
            let saved = try await world.send(
                "PUT", "/api/v1/admin/plans/small", as: boss,
                #"{"title":"Small","price_cents":0,"models":["openai/gpt-5","a/b"],"features":["audit_export"]}"#
            )
            #expect(saved.json?["models"]?.count == 2, "\(saved.text)")
            let none = try await world.send(
                "PUT", "/api/v1/admin/plans/none", as: boss,
                #"{"title":"None","price_cents":0,"models":[]}"#)
            #expect(none.status >= 400 && none.text.contains("models"))
            let ann = try await world.newPerson("ann")
            try await Self.setPlan("small", of: ann, world)
            let limits = try await world.send("GET", "/api/v1/billing/limits", as: ann)
            #expect(limits.list("features").map(\.string) == ["audit_export"])
            // None of the sandbox's is among them.
            let key = try await world.newKey(of: ann, #"{"name":"k"}"#)
            let listed = try await world.send("GET", "/v1/models", as: .bearer(key))
            #expect(listed.status == 200 && listed.list("data").isEmpty, "\(listed.text)")
            let echo = try await world.send("GET", "/v1/models/sandbox/echo", as: .bearer(key))
            #expect(echo.status == 404)
            let refused = try await Self.complete("sandbox/echo", key, world: world)
            #expect(refused.status == 403 && refused.code == "model_not_in_tier", "\(refused.text)")
        }
    }
}
