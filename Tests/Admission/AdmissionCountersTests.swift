import Base
import Loop
import Redis
import TestKit
import Testing

@testable import Admission

struct AdmissionCountersTests {
    private static func text(_ metrics: Metrics) -> Set<String> {
        Set(
            String(decoding: metrics.render(), as: UTF8.self).split(separator: "\n").map(String.init)
                .filter { !$0.hasPrefix("#") })
    }

    @Test func `what was decided is counted by its outcome, and whether it is decided without Redis`()
        async throws
    {
        try await withRedis { redis, client in
            let metrics = Metrics()
            var bounds = Gatekeeper.Bounds()
            bounds.patience = patience
            let gatekeeper = Gatekeeper(client, bounds: bounds, counters: AdmissionCounters(in: metrics))
            let list = gatekeeper.subjects(
                [(.organization, Limits(requests: .init(day: 2)))], at: .organization(.make()))
            func ask() async { _ = await gatekeeper.admit(AdmissionRequest(list, generation: nil)) }
            for _ in 0..<5 { await ask() }
            #expect(
                Self.text(metrics) == [
                    #"hivegate_admissions_total{outcome="admitted"} 2"#,
                    #"hivegate_admissions_total{outcome="refused"} 3"#,
                    #"hivegate_admissions_total{outcome="local"} 0"#,
                    #"hivegate_admissions_total{outcome="local_refused"} 0"#, "hivegate_redis_degraded 0",
                    #"hivegate_admissions_total{outcome="unfunded"} 0"#, "hivegate_holds_total 0",
                    "hivegate_holds_underway 0", "hivegate_hold_breaches_total 0",
                    "hivegate_fundings_total 0",
                    "hivegate_direct_fundings_total 0",
                ])
            try await redis.kill()
            await ask()
            let free = gatekeeper.subjects(
                [(.organization, Limits(requests: .init(day: 2)))], at: .organization(.make()))
            _ = await gatekeeper.admit(AdmissionRequest(free, generation: nil))
            #expect(
                Self.text(metrics).isSuperset(of: [
                    #"hivegate_admissions_total{outcome="local"} 1"#,
                    #"hivegate_admissions_total{outcome="local_refused"} 1"#, "hivegate_redis_degraded 1",
                ]))
            try await redis.start()
            _ = try await client.send(
                RedisCommand("PING"), timeout: patience, waitsForConnection: true)
            await ask()
            #expect(Self.text(metrics).contains("hivegate_redis_degraded 0"))
        }
    }
}
