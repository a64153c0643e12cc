import Admission
import Base
import Testing

/// Monthly quotas, as a client and an administrator notice them.
struct QuotaTests {
    @Test func `a month that is used half is used half when Redis has lost everything`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let key = try await world.newKey(of: ann, #"{"name":"k"}"#)
            let path = "/api/v1/organizations/\(ann.organization)/limits"
            let set = try await world.send(
                "PUT", path, as: ann,
                #"{"limits":{"user":{"requests_per_month":4}},"time_zone":"Pacific/Kiritimati"}"#)
            #expect(set.status == 200, "\(set.text)")
            func ask() async throws -> ManagementWorld.Answer {
                try await world.send(
                    "POST", "/v1/chat/completions", as: .bearer(key),
                    #"{"model":"sandbox/echo","messages":[{"role":"user","content":"hi"}]}"#)
            }
            for left in ["3", "2"] {
                let answer = try await ask()
                #expect(answer.status == 200, "\(answer.text)")
                #expect(answer["x-ratelimit-remaining"] == left)
                #expect(answer["x-hivegate-degraded"] == nil)
            }
            await world.quotaWriter.write()
            try await world.flushRedis()
            for left in ["1", "0"] {
                let answer = try await ask()
                #expect(answer.status == 200 && answer["x-ratelimit-remaining"] == left, "\(answer.text)")
            }
            let refused = try await ask()
            #expect(refused.status == 429 && refused.code == "quota_exhausted", "\(refused.text)")
            #expect(refused.text.contains("user:\(ann.user):requests_per_month"))
        }
    }
}
