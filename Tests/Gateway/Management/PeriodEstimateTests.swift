import Base
import JSON
import Metering
import Testing

@testable import Gateway

/// What the present period will have cost.
struct PeriodEstimateTests {
    @Test(arguments: [
        (100, 5, 10, 200), (100, 10, 10, 100), (100, 20, 10, 100), (0, 5, 10, 0), (100, 0, 10, 1000),
        (7, 7, 10, 10),
    ])
    func `what was used goes on as until now`(used: Int64, hours: Int, of whole: Int, expected: Int64) {
        let start = Timestamp(seconds: 1_793_491_200)
        let forecast = Gateway.forecast(
            used, from: start, to: start + .seconds(3600 * whole), at: start + .seconds(3600 * hours))
        #expect(forecast == expected)
    }

    @Test func `a forecast that has no room is as much as there may be`() {
        let start = Timestamp(seconds: 1_793_491_200)
        let forecast = Gateway.forecast(
            .max, from: start, to: start + .seconds(86_400 * 30), at: start + .seconds(3600))
        #expect(forecast == .max)
    }

    @Test func `a period costs its plan and what was used, at both addresses`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let begun = try await world.send(
                "POST", "/api/billing/subscribe", as: ann, #"{"plan":"starter"}"#)
            #expect(begun.status == 201, "\(begun.text)")
            try await world.use(ann)
            for path in [
                "/api/v1/billing/estimate", "/api/v1/billing/billing/estimate", "/api/billing/estimate",
            ] {
                let answer = try await world.send("GET", path, as: ann)
                #expect(answer.status == 200, "\(answer.text)")
                #expect(answer.json?["plan"]?.string == "starter")
                #expect(answer.json?["plan_price"]?["usd"]?.string == "10")
                #expect(answer.json?["usage"]?["nano"]?.string == "54399600")
                #expect(answer.json?["total"]?["nano"]?.string == "10054399600")
                let forecast = try #require(
                    answer.json?["usage_forecast"]?["nano"]?.string.flatMap { Int64($0) })
                // At least 28 days, of which at most an hour has gone by.
                #expect(forecast >= 54_399_600 * 24 * 28)
            }
            let bob = try await world.newPerson("bob")
            let nothing = try await world.send("GET", "/api/v1/billing/estimate", as: bob)
            #expect(nothing.json?["plan"]?.isNull == true)
            #expect(nothing.json?["total_forecast"]?["nano"]?.string == "0")
        }
    }
}
