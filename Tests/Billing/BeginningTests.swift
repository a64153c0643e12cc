import Base
import Billing
import Identity
import Postgres
import Testing

/// How organizations come to a subscription, and what keeps them from it.
struct BeginningTests {
    @Test func `a plan is tried once, and then paid for`() async throws {
        try await BillingWorld.run { world in
            var plan = Plan("trial", "Trial", cents: 500)
            plan.trialDays = 10
            try await world.store.save(plan)
            let acme = try await world.makeOrganization("acme")
            let first = try await world.store.subscribe(acme, to: "trial", by: .command)
            #expect(first.stored.subscription.status == .trialing && first.invoices == [])
            #expect(try await world.plan(of: acme) == "trial")
            world.pass(days: 10)
            _ = try await world.scheduler.run()
            #expect(try await world.invoices(of: acme).map(\.totalCents) == [500])
            _ = try await world.store.change(acme, .cancelNow, by: .command)
            let second = try await world.store.subscribe(acme, to: "trial", by: .command)
            #expect(second.stored.subscription.status == .active && second.invoices.count == 1)
        }
    }

    @Test func `whoever has an overdue invoice begins nothing new, and who is not there neither`()
        async throws
    {
        try await BillingWorld.run { world in
            let acme = try await world.makeOrganization("acme")
            _ = try await world.store.subscribe(acme, to: "pro", by: .command)
            _ = try await world.store.change(acme, .cancelNow, by: .command)
            world.pass(days: 15)
            let outcome = try await problem {
                _ = try await world.store.subscribe(acme, to: "enterprise", by: .command)
            }
            #expect(outcome == "subscription_state_conflict")
            for invoice in try await world.invoices(of: acme) { _ = try await world.pay(invoice) }
            _ = try await world.store.subscribe(acme, to: "enterprise", by: .command)
            #expect(
                try await problem { _ = try await world.store.subscribe(.make(), to: "pro", by: .command) }
                    == "not_found")
        }
    }

    @Test func `a plan by agreement has the price that was agreed upon`() async throws {
        try await BillingWorld.run { world in
            try await world.store.apply(.marketplace)
            let acme = try await world.makeOrganization("acme")
            #expect(
                try await problem {
                    _ = try await world.store.subscribe(acme, to: "enterprise", by: .command)
                }
                    == "plan_not_offered")
            _ = try await world.store.subscribe(acme, to: "enterprise", agreedCents: 123_456, by: .command)
            #expect(try await world.invoices(of: acme).map(\.totalCents) == [123_456])
        }
    }

    @Test func `what Stripe tells of first is begun, also by two at once`() async throws {
        try await BillingWorld.run { world in
            let acme = try await world.makeOrganization("acme")
            let plan = try await world.store.plan("pro").subscribed
            let period = BillingAnchor(world.now, every: .month).period(0)
            let standing = StripeStanding("sub_1", seenAt: world.now, .active, plan, period)
            let outcomes = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await problem { _ = try await world.store.follow(standing, of: acme) }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.contains(nil))
            #expect(Set(outcomes).subtracting([nil, "subscription_state_conflict"]).isEmpty)
            #expect(try await world.plan(of: acme) == "pro")
            // Stripe invoices by itself.
            #expect(try await world.invoices(of: acme) == [])
            var ended = standing
            ended.seenAt = world.now + .seconds(1)
            ended.status = .canceled
            ended.endedAt = world.now
            _ = try await world.store.follow(ended, of: acme)
            let next = StripeStanding("sub_2", seenAt: world.now + .seconds(2), .active, plan, period)
            let change = try await world.store.follow(next, of: acme)
            #expect(change.stored.subscription.stripe?.id == "sub_2" && change.stored.version == 1)
            // Late news of the former changes nothing of the present.
            _ = try await world.store.follow(standing, of: acme)
            #expect(try await world.plan(of: acme) == "pro")
            #expect(try await world.store.subscription(of: acme) == change.stored)
        }
    }

    @Test func `an organization that was deleted is not invoiced any further`() async throws {
        try await BillingWorld.run { world in
            let acme = try await world.makeOrganization("acme")
            _ = try await world.store.subscribe(acme, to: "pro", by: .command)
            for invoice in try await world.invoices(of: acme) { _ = try await world.pay(invoice) }
            _ = try await world.owner.query("UPDATE organizations SET deleted_at = now() WHERE id = \(acme)")
            world.pass(days: 31)
            let report = try await world.scheduler.run()
            #expect(report.failures.isEmpty && report.subscriptions == 1)
            #expect(try await world.invoices(of: acme).count == 1)
            #expect(try await world.store.subscription(of: acme)?.subscription.status == .canceled)
            #expect(try await world.scheduler.run().subscriptions == 0)
        }
    }
}
