import Admission
import Base
import Identity
import Metering
import Postgres
import Testing

@testable import Budgets

/// What budgets are, and what becomes of their windows.
struct BudgetStoreTests {
    @Test
    func `a budget that is made late counts what was used since its window began, by whatever it is about`()
        async throws
    {
        try await BudgetWorld.run { world in
            // In the year before, in this month, and today.
            try await world.spend(1 * dollar, at: world.now + .seconds(-40 * 86_400))
            try await world.spend(2 * dollar, commission: dollar / 2, at: world.now + .seconds(-3 * 86_400))
            try await world.spend(4 * dollar, at: world.now + .seconds(-7 * 3600)) {
                $0.tags = Array(#"{"team":"search","job":"a=b"}"#.utf8)
                $0.attempts[0].model = "acme/one"
            }
            // With a key of its own: the provider is paid by the organization.
            try await world.spend(8 * dollar, commission: 1) {
                ($0.attempts[0].isOwnKey, $0.attempts[0].charge) = (true, 1)
                $0.endpoint = "createEmbedding"
                ($0.user, $0.key) = (.make(), .make())
            }
            let stranger = try await world.makeOrganization("other")
            try await world.spend(100 * dollar, of: stranger)
            _ = try await world.owner.query(
                "INSERT INTO users (id, email, name) VALUES (\(world.user), 'ann@example.com', 'Ann')")
            _ = try await world.owner.query(
                "INSERT INTO memberships (org_id, user_id, role) VALUES (\(world.organization), \(world.user), 'member')"
            )
            func opening(_ subject: LimitSubject, _ period: BudgetPeriod) async throws -> Int64? {
                try await world.create(of: subject, each: period).standing.window?.spent
            }
            let whole = 14 * dollar + dollar / 2 + 1
            #expect(try await opening(.organization, .day) == 12 * dollar + 1)
            #expect(try await opening(.organization, .week) == whole)
            #expect(try await opening(.organization, .month) == whole)
            #expect(try await opening(.organization, .total) == whole + dollar)
            #expect(try await opening(.user(world.user), .month) == 6 * dollar + dollar / 2)
            #expect(try await opening(.model("acme/one"), .month) == 4 * dollar)
            #expect(try await opening(.group(.embeddings), .month) == 8 * dollar + 1)
            #expect(try await opening(.group(.chat), .month) == 6 * dollar + dollar / 2)
            #expect(try await opening(.group(.images), .month) == 0)
            #expect(try await opening(.tag("team=search"), .month) == 4 * dollar)
            #expect(try await opening(.tag("job=a=b"), .month) == 4 * dollar)
            #expect(try await opening(.tag("team=ads"), .month) == 0)
            #expect(try await world.difference() == nil)
        }
    }

    @Test
    func `calls that were under way when a budget was made are counted when they have ended, and none twice`()
        async throws
    {
        try await BudgetWorld.run { world in
            try await world.spend(1 * dollar)
            let made = try await world.create().standing
            let limit = try #require(made.window).id
            // One that had ended and was on its way to the books, one that was under way, and one that knew the budget.
            try await world.spend(2 * dollar, at: world.now + .milliseconds(-50))
            world.now = world.now + .seconds(30)
            try await world.spend(4 * dollar, paidBy: [limit])
            try await world.spend(8 * dollar) { $0.attempts[0].started = world.now + .seconds(-60) }
            func spent() async throws -> Int64? { try await world.window(made.budget.id)?.spent }
            #expect(try await spent() == 5 * dollar)
            world.now = world.now + .seconds(31)
            try await world.watch().run()
            #expect(try await spent() == 15 * dollar)
            // What began behind it and does not name it was let in without it: its budgets were off.
            world.now = world.now + .seconds(600)
            try await world.spend(16 * dollar) { $0.attempts[0].started = world.now + .seconds(-1) }
            try await world.spend(32 * dollar) { $0.attempts[0].started = world.now + .seconds(-700) }
            for _ in 0..<3 {
                world.now = world.now + .seconds(1800)
                try await world.watch().run()
                #expect(try await spent() == 47 * dollar)
            }
            #expect(
                try await world.number("SELECT count(*) FROM money_limits WHERE recount_at IS NOT NULL") == 0)
            #expect(try await world.difference() == nil)
        }
    }

    @Test
    func
        `less than is spent may be allowed, an override holds for its time, and neither loses what was spent`()
        async throws
    {
        try await BudgetWorld.run { world in
            // Grants go by the database's clock.
            world.now = .now()
            let made = try await world.create(100 * dollar).standing
            let (id, limit) = (made.budget.id, try #require(made.window).id)
            try await world.spend(30 * dollar, paidBy: [limit])
            var change = try await world.store.change(
                id, of: world.organization, BudgetPatch { $0.nanodollars = 10 * dollar }, by: .command)
            #expect(change.lowered.contains(limit))
            #expect(
                change.standing.window?.cap == 10 * dollar && change.standing.window?.spent == 30 * dollar)
            #expect(change.standing.window?.left == 0 && change.standing.window?.id == limit)
            // Nothing is granted of it.
            let store = GrantStore(world.pool)
            func grants(_ amount: Int64) async throws -> Bool {
                try await store.take([MoneyWish(limit, least: amount, wanted: nil)], of: world.organization)
                    .amounts != nil
            }
            #expect(try await !grants(1))
            change = try await world.store.setOverride(
                id, of: world.organization,
                Budget.Override(nanodollars: 50 * dollar, until: world.now + .seconds(3600)), by: .command)
            #expect(change.lowered.isEmpty && change.standing.window?.cap == 50 * dollar)
            let caps = try await world.owner.query("SELECT cap_nano FROM money_limits ORDER BY window_start")
                .decode(Int64.self)
            #expect(caps == [50 * dollar, 10 * dollar])
            // An amount that is changed meanwhile waits.
            change = try await world.store.change(
                id, of: world.organization, BudgetPatch { $0.nanodollars = 20 * dollar }, by: .command)
            #expect(change.standing.window?.cap == 50 * dollar)
            #expect(try await grants(1))
            world.now = world.now + .seconds(3599)
            try await world.watch().run()
            #expect(try await world.window(id)?.cap == 50 * dollar)
            world.now = world.now + .seconds(1)
            try await world.watch().run()
            #expect(try await world.window(id)?.cap == 20 * dollar)
            #expect(try await world.store.budget(id, of: world.organization).budget.override == nil)
            #expect(world.takenBack == [limit])
            #expect(try await world.window(id)?.spent == 30 * dollar)
            let late = Budget.Override(nanodollars: 1, until: world.now)
            #expect(
                try await problem {
                    _ = try await world.store.setOverride(id, of: world.organization, late, by: .command)
                } == "invalid_budget")
        }
    }

    @Test func `a budget that is deleted ends now, stays as it was, and can be made again`() async throws {
        try await BudgetWorld.run { world in
            for period in BudgetPeriod.allCases {
                let made = try await world.create(each: period).standing
                let (id, limit) = (made.budget.id, try #require(made.window).id)
                try await world.spend(3 * dollar, paidBy: [limit])
                world.now = world.now + .seconds(10)
                _ = try await world.store.archive(id, of: world.organization, by: .command)
                let archived = try await world.store.budgets(of: world.organization, archived: true)
                #expect(archived.contains { $0.budget.id == id } && archived.allSatisfy { $0.window == nil })
                #expect(try await world.store.budgets(of: world.organization).isEmpty)
                let history = try await world.store.history(of: id, in: world.organization, limit: 10)
                #expect(history.count == 1 && history.first?.id == limit)
                #expect(history.first?.range?.upperBound == world.now)
                #expect((history.first?.spent ?? 0) >= 3 * dollar)
                let again = BudgetPatch { $0.nanodollars = 1 }
                #expect(
                    try await problem {
                        _ = try await world.store.change(id, of: world.organization, again, by: .command)
                    } == "budget_archived")
                // A late call still comes into its books.
                try await world.spend(1 * dollar, paidBy: [limit])
                let next = try await world.create(each: period).standing
                #expect(next.window?.id != limit)
                _ = try await world.store.archive(next.budget.id, of: world.organization, by: .command)
            }
            #expect(try await world.difference() == nil)
        }
    }

    @Test func `an organization has so many budgets and no more, and none of what is another's`() async throws
    {
        try await BudgetWorld.run { world in
            for _ in 0..<BudgetStore.mostBudgets { _ = try await world.create(each: .day) }
            #expect(try await problem { _ = try await world.create(each: .day) } == "too_many_budgets")
            let stranger = try await world.makeOrganization("other")
            let one = try #require(try await world.store.budgets(of: world.organization).first).budget.id
            #expect(try await problem { _ = try await world.store.budget(one, of: stranger) } == "not_found")
            #expect(
                try await problem { _ = try await world.store.archive(one, of: stranger, by: .command) }
                    == "not_found")
            #expect(
                try await problem {
                    _ = try await world.store.create(
                        NewBudget("of nobody", of: .user(.make()), each: .day, nanodollars: 1), of: stranger,
                        by: .command)
                } == "invalid_budget")
        }
    }

    @Test func `an organization that never had a monthly budget gets one, once`() async throws {
        try await BudgetWorld.run { world in
            let stranger = try await world.makeOrganization("other")
            try await world.spend(2 * dollar)
            let watch = world.watch(usual: 7 * dollar)
            try await watch.run()
            try await watch.run()
            for organization in [world.organization, stranger] {
                let found = try await world.store.budgets(of: organization)
                #expect(found.map(\.window?.cap) == [7 * dollar] && found.map(\.budget.isSoft) == [false])
            }
            let own = try await world.store.budgets(of: world.organization)[0]
            #expect(own.window?.spent == 2 * dollar && own.budget.creator == nil)
            // Whoever does not want it has none.
            _ = try await world.store.archive(own.budget.id, of: world.organization, by: .command)
            try await watch.run()
            #expect(try await world.store.budgets(of: world.organization).isEmpty)
            // The monthly limit is one that is made, and then changed.
            let set = try await world.store.setMonthly(
                of: world.organization, nanodollars: 9 * dollar, by: .command)
            let changed = try await world.store.setMonthly(
                of: world.organization, nanodollars: 11 * dollar, by: .command)
            #expect(set.standing.budget.id == changed.standing.budget.id)
            #expect(changed.standing.window?.cap == 11 * dollar)
        }
    }

    @Test
    func
        `whatever is done in whatever order, windows have what their budget says and what was spent on them`()
        async throws
    {
        let seed = UInt64.random(in: .min ... .max)
        try await BudgetWorld.run { world in
            var random = SeededGenerator(seed: seed)
            var expected: [UUID: (amount: Int64, override: Budget.Override?)] = [:]
            for step in 0..<120 {
                let known = expected.keys.sorted()
                let one = known.randomElement(using: &random)
                switch (Int.random(in: 0..<7, using: &random), one) {
                case (0, _), (_, nil):
                    let amount = Int64.random(in: 0...(100 * dollar), using: &random)
                    let period = [BudgetPeriod.day, .week, .month, .total].randomElement(using: &random)
                    let isSoft = Bool.random(using: &random)
                    let made = try await world.create(amount, each: period ?? .day) { $0.isSoft = isSoft }
                    expected[made.standing.budget.id] = (amount, nil)
                case (1, let id?):
                    let amount = Int64.random(in: 0...(100 * dollar), using: &random)
                    _ = try await world.store.change(
                        id, of: world.organization, BudgetPatch { $0.nanodollars = amount }, by: .command)
                    expected[id]?.amount = amount
                case (2, let id?):
                    let override = Budget.Override(
                        nanodollars: Int64.random(in: 0...(100 * dollar), using: &random),
                        until: world.now + .seconds(Int64.random(in: 1...200_000, using: &random)))
                    _ = try await world.store.setOverride(id, of: world.organization, override, by: .command)
                    expected[id]?.override = override
                case (3, let id?) where known.count > 3:
                    _ = try await world.store.archive(id, of: world.organization, by: .command)
                    expected[id] = nil
                case (4, _):
                    world.now = world.now + .seconds(Int64.random(in: 1...150_000, using: &random))
                    #expect(try await world.watch().run().isEmpty)
                default:
                    let touched = try await world.store.budgets(of: world.organization).compactMap(
                        \.window?.id)
                    try await world.spend(Int64.random(in: 0...dollar, using: &random), paidBy: touched)
                }
                for standing in try await world.store.budgets(of: world.organization) {
                    let (amount, override) = try #require(expected[standing.budget.id])
                    let cap = override.map { $0.until > world.now ? $0.nanodollars : amount } ?? amount
                    #expect(standing.window?.cap == cap, "seed \(seed), step \(step)")
                    #expect(standing.window?.range?.contains(world.now) ?? true, "seed \(seed), step \(step)")
                }
            }
            #expect(try await world.difference() == nil, "seed \(seed)")
        }
    }
}
