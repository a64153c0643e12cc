import Base
import Billing
import Postgres
import Testing

struct IdempotencyStoreTests {
    private typealias Answer = IdempotencyStore.Answer

    private static func attempt(_ claim: IdempotencyStore.Claim) -> IdempotencyStore.Attempt? {
        if case .proceed(let attempt) = claim { attempt } else { nil }
    }

    @Test func `the same request is done once and answered the same, for a day`() async throws {
        try await BillingWorld.run { world in
            let (acme, keys) = (try await world.makeOrganization("acme"), world.idempotency)
            let first = try #require(Self.attempt(try await keys.claim("k", at: "e", of: acme, body: [1])))
            #expect(
                try await problem { _ = try await keys.claim("k", at: "e", of: acme, body: [1]) }
                    == "idempotency_key_in_progress")
            let answer = Answer(status: 201, body: Array(#"{"id":1}"#.utf8))
            try await keys.finish(first, with: answer)
            #expect(try await keys.claim("k", at: "e", of: acme, body: [1]) == .replay(answer))
            #expect(
                try await problem { _ = try await keys.claim("k", at: "e", of: acme, body: [2]) }
                    == "idempotency_key_reused")
            // Another endpoint, another organization: another key.
            let other = try await world.makeOrganization("other")
            #expect(Self.attempt(try await keys.claim("k", at: "f", of: acme, body: [2])) != nil)
            #expect(Self.attempt(try await keys.claim("k", at: "e", of: other, body: [2])) != nil)
            world.now = world.now + IdempotencyStore.memory
            #expect(try await keys.claim("k", at: "e", of: acme, body: [1]) == .replay(answer))
            world.now = world.now + .seconds(1)
            #expect(Self.attempt(try await keys.claim("k", at: "e", of: acme, body: [3])) != nil)
        }
    }

    @Test func `of many who send the same at once one does it`() async throws {
        try await BillingWorld.run { world in
            let (acme, keys) = (try await world.makeOrganization("acme"), world.idempotency)
            let claims = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<30 {
                    group.addTask {
                        try await problem { _ = try await keys.claim("k", at: "e", of: acme, body: [1]) }
                            == nil
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(claims.filter { $0 }.count == 1)
        }
    }

    @Test func `what was not done may be tried again, and what died over it too`() async throws {
        try await BillingWorld.run { world in
            let (acme, keys) = (try await world.makeOrganization("acme"), world.idempotency)
            let first = try #require(Self.attempt(try await keys.claim("k", at: "e", of: acme, body: [1])))
            try await keys.abandon(first)
            let second = try #require(Self.attempt(try await keys.claim("k", at: "e", of: acme, body: [1])))
            world.now = world.now + IdempotencyStore.patience + .seconds(1)
            #expect(
                try await problem { _ = try await keys.claim("k", at: "e", of: acme, body: [2]) }
                    == "idempotency_key_reused")
            let third = try #require(Self.attempt(try await keys.claim("k", at: "e", of: acme, body: [1])))
            // Whoever comes too late says nothing any more.
            try await keys.finish(second, with: Answer(status: 500, body: []))
            try await keys.abandon(second)
            #expect(
                try await problem { _ = try await keys.claim("k", at: "e", of: acme, body: [1]) }
                    == "idempotency_key_in_progress")
            try await keys.finish(third, with: Answer(status: 200, body: []))
            #expect(
                try await keys.claim("k", at: "e", of: acme, body: [1])
                    == .replay(Answer(status: 200, body: [])))
        }
    }

    @Test func `a key that cannot be one is refused, and old ones are forgotten`() async throws {
        try await BillingWorld.run { world in
            let (acme, keys) = (try await world.makeOrganization("acme"), world.idempotency)
            for key in ["", String(repeating: "k", count: 256), "a\0b"] {
                #expect(
                    try await problem { _ = try await keys.claim(key, at: "e", of: acme, body: []) }
                        == "invalid_idempotency_key")
            }
            _ = try await keys.claim("k", at: "e", of: acme, body: [])
            world.pass(days: 2)
            _ = try await world.scheduler.run()
            let count = try await world.owner.query("SELECT count(*) FROM idempotency_keys")[0].decode(
                Int64.self)
            #expect(count == 0)
        }
    }
}
