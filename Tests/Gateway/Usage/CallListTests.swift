import Base
import JSON
import Metering
import Testing

/// Calls one by one, as a client sees them.
struct CallListTests {
    private func requestIDs(_ answer: ManagementWorld.Answer) -> [String] {
        answer.list("data").compactMap { $0["request_id"]?.string }
    }

    @Test func `calls come newest first, page by page, each once`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            try await world.use(ann, 7)
            var (found, cursor): ([String], String?) = ([], "")
            while let place = cursor {
                let answer = try await world.send("GET", "/api/v1/requests?limit=3\(place)", as: ann)
                #expect(answer.status == 200, "\(answer.text)")
                found += requestIDs(answer)
                cursor = answer.json?["next_cursor"]?.string.map { "&cursor=\($0)" }
            }
            #expect(found == (0..<7).reversed().map { "req_\($0)" })
        }
    }

    @Test func `a call has its attempts, and is found by each of them`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            try await world.use(ann, 2) { index, event in
                guard index == 1 else { return }
                var first = event.attempts[0]
                (first.provider, first.outcome, first.fault) = ("azure", .failed, "overloaded")
                (first.cost, first.commission, first.charge) = (0, 0, 0)
                event.attempts.insert(first, at: 0)
                event.tags = Array(#"{"team":"search"}"#.utf8)
            }
            let all = try await world.send("GET", "/api/v1/requests", as: ann)
            let call = try #require(all.list("data").first)
            let attempts = call["attempts"].map { Array($0.elements) } ?? []
            #expect(attempts.map { $0["provider"]?.string } == ["azure", "openai"])
            #expect(attempts.first?["fault"]?.string == "overloaded")
            #expect(call["charge"]?["nano"]?.string == "54399600")
            for (query, expected) in [
                ("provider=azure", ["req_1"]), ("tag=team=search", ["req_1"]), ("tag=team=other", []),
                ("provider=openai", ["req_1", "req_0"]), ("model=gpt-5", ["req_1", "req_0"]),
                ("model=gpt-4", []),
                ("outcome=failed", []), ("outcome=answered", ["req_1", "req_0"]),
                ("user=\(ann.user)", ["req_1", "req_0"]), ("key=\(UUID.make())", []),
                ("to=2026-01-01T00:00:00Z", []),
            ] {
                let answer = try await world.send("GET", "/api/v1/requests?\(query)", as: ann)
                #expect(requestIDs(answer) == expected, "\(query): \(answer.text)")
            }
        }
    }

    @Test func `a table has all calls, however many, and no formula`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            try await world.use(ann, 1201) { index, event in
                if index == 0 { event.model = "=cmd|'/c calc'!A1" }
            }
            let table = try await world.send("GET", "/api/v1/requests?format=csv&limit=1", as: ann)
            #expect(table["content-type"]?.hasPrefix("text/csv") == true)
            let lines = table.text.split(separator: "\r\n")
            #expect(lines.count == 1202)
            #expect(lines.last?.contains(",'=cmd|") == true)
            #expect(
                Set(lines.map { $0.split(separator: ",", omittingEmptySubsequences: false)[1] }).count == 1202
            )
            let columns = lines.map { $0.split(separator: ",", omittingEmptySubsequences: false) }
            #expect(columns.allSatisfy { $0.count == columns[0].count })
            let charges = columns.dropFirst().compactMap { $0.last.flatMap { Int64($0) } }.reduce(0, +)
            #expect(charges == 1201 * 54_399_600)
            let accepted = try await world.send(
                "GET", "/api/v1/requests", as: .bearer(ann.token), fields: [("Accept", "text/csv")])
            #expect(accepted.body == table.body)
        }
    }

    @Test func `nobody is shown another organization's calls`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let bob = try await world.newPerson("bob")
            try await world.use(ann)
            #expect(requestIDs(try await world.send("GET", "/api/v1/requests", as: bob)) == [])
            #expect(requestIDs(try await world.send("GET", "/api/v1/requests", as: ann)) == ["req_0"])
        }
    }
}
