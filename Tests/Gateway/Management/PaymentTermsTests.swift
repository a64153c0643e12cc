import Base
import Identity
import JSON
import Testing

/// What an operator agrees upon with an organization about its money.
struct PaymentTermsTests {
    private static func path(_ organization: UUID) -> String {
        "/api/v1/admin/organizations/\(organization)/terms"
    }

    @Test func `a commission that was agreed upon lies over the plan's, and can be taken back`() async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            try await world.store.addOperator(ann.user, by: .command)
            func set(_ body: String) async throws -> ManagementWorld.Answer {
                try await world.send("PUT", Self.path(ann.organization), as: ann, body)
            }
            func points() async throws -> Int? {
                try await world.store.terms(of: ann.organization)?.commissionPoints
            }
            let changed = try await set(
                #"{"commission":{"basis_points":1500,"mode":"take_rate"},"budgets_enforced_from":"2027-01-01T00:00:00Z"}"#
            )
            #expect(changed.json?["commission"]?["basis_points"]?.int == 1500, "\(changed.text)")
            #expect(changed.json?["budgets_enforced_from"]?.string == "2027-01-01T00:00:00.000Z")
            #expect(try await points() == 1500)
            // What is left out stays.
            let kept = try await set(#"{"budgets_enforced_from":null}"#)
            #expect(kept.json?["commission"]?["mode"]?.string == "take_rate")
            #expect(kept.json?["budgets_enforced_from"]?.isNull == true)
            #expect(try await set(#"{"commission":null}"#).json?["commission"]?.isNull == true)
            #expect(try await points() == nil)
            let all = try await set(#"{"commission":{"basis_points":10000,"mode":"take_rate"}}"#)
            #expect(all.status == 422 && all.code == "invalid_commission", "\(all.text)")
        }
    }

    @Test func `whoever was there when budgets began to refuse has time, and whoever comes later has none`()
        async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            func enforcedFrom(_ organization: UUID) async throws -> Timestamp? {
                try await world.store.paymentTerms(ofAny: organization).budgetsEnforcedFrom
            }
            let before = Timestamp.now()
            #expect(try await world.store.beginEnforcement(grace: .seconds(86_400)) == 1)
            let start = try #require(try await enforcedFrom(ann.organization))
            #expect((before + .seconds(86_400)...Timestamp.now() + .seconds(86_400)).contains(start))
            let ben = try await world.newPerson("ben")
            #expect(try await world.store.beginEnforcement(grace: .seconds(86_400)) == 0)
            #expect(try await enforcedFrom(ben.organization) == nil)
        }
    }
}
