import Base
import Identity
import JSON
import Testing

/// Budgets over HTTP: what is taken, what is refused, and what is shown.
struct BudgetTests {
    private static let path = "/api/v1/budgets"

    @Test func `a budget is made, changed and ended, and its secret is shown once`() async throws {
        try await ManagementWorld.run { world in
            let cast = try await Cast.make(in: world)
            let owner = ManagementWorld.Credential.bearer(cast.actor(.owner).token)
            let made = try await world.send(
                "POST", Self.path, as: owner,
                #"""
                {"name":"Ads","subject":"tag:team=ads","period":"week","amount":{"usd":"12.50"},"thresholds":[95,50],
                "webhook_url":"https://hooks.example/a"}
                """#)
            #expect(made.status == 201, "\(made.text)")
            let id = try #require(made.json?["id"]?.string)
            #expect(made.json?["webhook_secret"]?.string?.hasPrefix("whsec_") == true)
            #expect(made.json?["amount"]?["nano"]?.string == "12500000000")
            #expect(made.json?["thresholds"]?.elements.compactMap(\.int) == [50, 95])
            #expect(made.json?["hard"]?.bool == true && made.json?["state"]?.string == "ok")
            #expect(made.json?["window"]?["left"]?["usd"]?.string == "12.5")
            let shown = try await world.send("GET", "\(Self.path)/\(id)", as: owner)
            #expect(shown.status == 200 && !shown.text.contains("whsec_"))
            let same = try await world.send(
                "PATCH", "\(Self.path)/\(id)", as: owner,
                #"{"amount":{"usd":"0"},"subject":"tag:team=ads","webhook_url":"https://hooks.example/a"}"#)
            #expect(same.status == 200 && same.json?["webhook_secret"]?.isNull == true)
            #expect(same.json?["state"]?.string == "spent")
            let other = try await world.send(
                "PATCH", "\(Self.path)/\(id)", as: owner, #"{"webhook_url":"https://hooks.example/b"}"#)
            #expect(other.json?["webhook_secret"]?.string != made.json?["webhook_secret"]?.string)
            #expect(try await world.send("DELETE", "\(Self.path)/\(id)", as: owner).status == 204)
            #expect(try await world.send("DELETE", "\(Self.path)/\(id)", as: owner).code == "budget_archived")
            let archived = try await world.send("GET", "\(Self.path)?archived=true", as: owner)
            #expect(archived.json?["data"]?.elements.compactMap { $0["id"]?.string } == [id])
            let history = try await world.send("GET", "\(Self.path)/\(id)/history", as: owner)
            #expect(history.json?["data"]?.elements.map(\.isNull).count == 1)
        }
    }

    @Test func `what makes no sense is refused with all that is wrong, and what stays says so`() async throws
    {
        try await ManagementWorld.run { world in
            let cast = try await Cast.make(in: world)
            let owner = ManagementWorld.Credential.bearer(cast.actor(.owner).token)
            for subject in [
                "everybody", "user:nobody", "tag:team", "tag:=search", "model:", "group:management",
                "user:\(UUID.make())", "key:\(UUID.make())",
            ] {
                let answer = try await world.send(
                    "POST", Self.path, as: owner,
                    #"{"name":"x","subject":"\#(subject)","period":"day","amount":{"usd":"1"}}"#)
                #expect(answer.status == 422 && answer.code == "invalid_budget", "\(subject): \(answer.text)")
            }
            let wrong = try await world.send(
                "POST", Self.path, as: owner,
                #"{"name":"","subject":"organization","period":"year","amount":{"usd":"-1"},"thresholds":[0,0]}"#
            )
            #expect(wrong.status == 422 && wrong.code == "invalid_fields")
            for field in ["name", "period", "amount", "thresholds"] { #expect(wrong.text.contains(field)) }
            let fixed = try await world.send(
                "PATCH", "\(Self.path)/\(cast.budget)", as: owner,
                #"{"subject":"model:acme/one","period":"day","name":"new"}"#)
            #expect(fixed.status == 422 && fixed.code == "budget_fixed")
            #expect(fixed.text.contains("subject") && fixed.text.contains("period"))
            let past = try await world.send(
                "PUT", "\(Self.path)/\(cast.budget)/override", as: owner,
                #"{"amount":{"usd":"1"},"until":"2020-01-01T00:00:00Z"}"#)
            #expect(past.status == 422 && past.code == "invalid_budget")
            let range = try await world.send(
                "GET", "\(Self.path)/refusals?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", as: owner)
            #expect(range.status == 422 && range.code == "invalid_range")
        }
    }

    @Test func `a budget whose making is repeated is made once, and its secret is not said again`()
        async throws
    {
        try await ManagementWorld.run { world in
            let cast = try await Cast.make(in: world)
            let owner = ManagementWorld.Credential.bearer(cast.actor(.owner).token)
            let body =
                #"{"name":"Once","subject":"organization","period":"day","amount":{"usd":"1"},"webhook_url":"https://hooks.example"}"#
            let key = [(name: "Idempotency-Key", value: "one")]
            let first = try await world.send("POST", Self.path, as: owner, body, fields: key)
            let second = try await world.send("POST", Self.path, as: owner, body, fields: key)
            #expect(first.status == 201 && second.status == 201)
            #expect(second["idempotent-replayed"] == "true")
            #expect(first.json?["id"]?.string == second.json?["id"]?.string)
            #expect(first.text.contains("whsec_") && !second.text.contains("whsec_"))
        }
    }

    @Test func `the monthly limit, its status and what was spent by day`() async throws {
        try await ManagementWorld.run { world in
            let cast = try await Cast.make(in: world)
            let owner = ManagementWorld.Credential.bearer(cast.actor(.owner).token)
            // The cast has a monthly budget of the organization.
            let set = try await world.send(
                "PUT", "/api/v1/budget/limit", as: owner, #"{"amount":{"usd":"7"}}"#)
            #expect(set.json?["id"]?.string == cast.budget.description)
            let status = try await world.send("GET", "/api/v1/budget/status", as: owner)
            #expect(status.json?["mode"]?.string == "off" && status.json?["wallet"]?.isNull == true)
            #expect(status.json?["budgets"]?.element(0)?["window"]?["amount"]?["usd"]?.string == "7")
            let usage = try await world.send("GET", "/api/v1/budget/usage?days=3", as: owner)
            #expect(
                usage.json?["days"]?.elements.map(\.isNull).count == 3
                    && usage.json?["total"]?["nano"]?.string == "0")
            #expect(usage.json?["windows"]?.elements.map(\.isNull).count == 1)
        }
    }
}
