import Base
import JSON
import Metering
import Testing

/// The dashboard's numbers, as a client sees them.
struct AnalyticsTests {
    @Test func `a dashboard shows what was used and what it cost`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            try await world.use(ann, 3)
            let answer = try await world.send(
                "GET", "/api/dashboard/analytics?group_by=model&interval=hour&compare=true", as: ann)
            let body = try #require(answer.json)
            #expect(answer.status == 200, "\(answer.text)")
            let totals = body["totals"]
            #expect(totals?["requests"]?.int == 3)
            #expect(totals?["charge"]?["nano"]?.string == "163198800")
            #expect(totals?["charge"]?["usd"]?.string == "0.1631988")
            #expect(totals?["tokens"]?["input"]?.int == 360 && totals?["tokens"]?["cached_input"]?.int == 60)
            let median = try #require(totals?["latency_ms"]?["p50"]?.double)
            #expect(abs(median - 500) < 60)
            #expect(totals?["first_token_ms"]?["p50"]?.isNull == true)
            #expect(answer.list("groups").map { $0["name"]?.string } == ["openai/gpt-5"])
            #expect(body["before"]?["requests"]?.int == 0)
        }
    }

    @Test func `what is wrong with the query is told by its name`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            for (query, name) in [
                ("from=yesterday", "from"), ("group_by=colour", "group_by"), ("colour=red", "colour"),
                ("time_zone=Europe/Atlantis", "time_zone"),
                ("from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", "from"),
                ("from=2020-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", "from"),
                ("from=2026-01-02T00:00:00Z&to=2026-11-01T00:00:00Z&interval=quarter_hour", "interval"),
            ] {
                let answer = try await world.send("GET", "/api/dashboard/analytics?\(query)", as: ann)
                #expect(answer.status >= 400 && answer.status < 500, "\(answer.status) \(answer.text)")
                #expect(answer.text.contains("\"\(name)\"") || answer.text.contains(name), "\(answer.text)")
            }
            let berlin = try await world.send(
                "GET", "/api/dashboard/analytics?time_zone=europe/berlin", as: ann)
            #expect(berlin.json?["time_zone"]?.string == "Europe/Berlin")
        }
    }
}
