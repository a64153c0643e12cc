import Base
import Billing
import Identity
import Postgres
import Testing

/// Months, in the time that the database needs for them.
struct BillingSchedulerTests {
    @Test func `a year of an organization that pays is twelve invoices and no interruption`() async throws {
        try await BillingWorld.run { world in
            let acme = try await world.makeOrganization("acme")
            _ = try await world.store.subscribe(acme, to: "pro", by: .command)
            for _ in 0..<364 {
                world.pass(days: 1)
                #expect(try await world.scheduler.run().failures.isEmpty)
                for invoice in try await world.invoices(of: acme) where invoice.status == .open {
                    _ = try await world.pay(invoice)
                }
                #expect(try await world.plan(of: acme) == "pro")
            }
            let invoices = try await world.invoices(of: acme)
            #expect(invoices.map(\.number) == Array(1...12))
            #expect(invoices.allSatisfy { $0.status == .paid && $0.totalCents == 2999 })
            let periods = invoices.compactMap(\.lines.first?.period)
            #expect(zip(periods, periods.dropFirst()).allSatisfy { $0.end == $1.start })
            #expect(world.reminders == [] && world.announced == [])
            #expect(try await world.owedCents(by: acme) == 0)
        }
    }

    @Test func `an invoice that nobody pays takes its course, day by day`() async throws {
        try await BillingWorld.run { world in
            let acme = try await world.makeOrganization("acme")
            _ = try await world.store.subscribe(acme, to: "pro", by: .command)
            var history: [String] = []
            for day in 1...60 {
                world.pass(days: 1)
                _ = try await world.scheduler.run()
                let status = try #require(try await world.store.subscription(of: acme)).subscription.status
                let plan = try await world.plan(of: acme) ?? "none"
                let state = "\(status.rawValue) \(plan), reminders \(world.reminders)"
                if history.last.map({ !$0.hasSuffix(state) }) ?? true { history.append("\(day): \(state)") }
            }
            #expect(
                history == [
                    "1: active pro, reminders []", "14: past_due pro, reminders []",
                    "15: past_due pro, reminders [1]", "17: past_due pro, reminders [1, 2]",
                    "19: past_due pro, reminders [1, 2, 3]", "21: past_due free, reminders [1, 2, 3, 4]",
                    "28: unpaid free, reminders [1, 2, 3, 4]", "44: canceled free, reminders [1, 2, 3, 4]",
                ])
            #expect(world.announced.count == 1)
            let invoices = try await world.invoices(of: acme)
            #expect(invoices.map(\.status) == [.uncollectible])
            #expect(try await world.owedCents(by: acme) == 0)
            #expect(try await world.balance("write_off", of: acme) == -29_990_000_000)
            // A late payment is taken, and brings nothing back by itself.
            #expect(try await world.pay(invoices[0]).invoice.status == .paid)
            #expect(try await world.balance("write_off", of: acme) == 0)
            #expect(try await world.plan(of: acme) == "free")
            _ = try await world.store.subscribe(acme, to: "starter", by: .command)
            #expect(try await world.plan(of: acme) == "starter")
        }
    }

    @Test func `several processes do it once`() async throws {
        try await BillingWorld.run { world in
            var organizations: [UUID] = []
            for index in 0..<30 {
                let organization = try await world.makeOrganization("org\(index)")
                _ = try await world.store.subscribe(organization, to: "starter", by: .command)
                for invoice in try await world.invoices(of: organization) { _ = try await world.pay(invoice) }
                organizations.append(organization)
            }
            world.pass(days: 31)
            let reports = try await withThrowingTaskGroup(of: BillingScheduler.Report.self) { group in
                for _ in 0..<4 { group.addTask { try await world.scheduler.run() } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(reports.reduce(0) { $0 + $1.subscriptions } == 30)
            #expect(reports.contains { $0.isBusyElsewhere })
            for organization in organizations {
                #expect(try await world.invoices(of: organization).map(\.number) == [1, 2])
            }
            #expect(try await world.scheduler.run().steps == 0)
        }
    }

    @Test func `who was away for half a year makes good for it in order`() async throws {
        try await BillingWorld.run { world in
            let acme = try await world.makeOrganization("acme")
            _ = try await world.store.subscribe(acme, to: "free", by: .command)
            _ = try await world.store.upgrade(acme, to: "starter", by: .command)
            for invoice in try await world.invoices(of: acme) { _ = try await world.pay(invoice) }
            let anchor = world.now
            world.pass(days: 180)
            let report = try await world.scheduler.run()
            #expect(report.steps == 5 && report.failures.isEmpty)
            let invoices = try await world.invoices(of: acme)
            #expect(
                invoices.dropFirst().compactMap(\.lines.first?.period)
                    == (1...5).map { BillingAnchor(anchor, every: .month).period($0) })
            // They are due from when they were sent, not from when they should have been.
            #expect(invoices.dropFirst().allSatisfy { $0.dueAt == world.now + .seconds(14 * 86_400) })
            #expect(try await world.plan(of: acme) == "starter")
        }
    }

    @Test func `a downgrade and a cancellation come with the end of the period`() async throws {
        try await BillingWorld.run { world in
            let acme = try await world.makeOrganization("acme")
            _ = try await world.store.subscribe(acme, to: "pro", by: .command)
            for invoice in try await world.invoices(of: acme) { _ = try await world.pay(invoice) }
            _ = try await world.store.downgrade(acme, to: "starter", by: .command)
            world.pass(days: 29)
            _ = try await world.scheduler.run()
            #expect(try await world.plan(of: acme) == "pro")
            world.pass(days: 2)
            _ = try await world.scheduler.run()
            #expect(try await world.plan(of: acme) == "starter")
            #expect(try await world.invoices(of: acme).map(\.totalCents) == [2999, 1000])
            _ = try await world.store.change(acme, .cancelAtPeriodEnd, by: .command)
            for invoice in try await world.invoices(of: acme) where invoice.status == .open {
                _ = try await world.pay(invoice)
            }
            world.pass(days: 31)
            _ = try await world.scheduler.run()
            #expect(try await world.plan(of: acme) == "free")
            #expect(try await world.store.subscription(of: acme)?.subscription.status == .canceled)
            #expect(try await world.invoices(of: acme).count == 2)
        }
    }

    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func `invoices and what is carried come to what the ledger says, with voids between`(seed: UInt64)
        async throws
    {
        try await BillingWorld.run { world in
            var random = SeededGenerator(seed: seed)
            let acme = try await world.makeOrganization("acme")
            _ = try await world.store.subscribe(acme, to: "starter", by: .command)
            var (usage, commission): (Int64, Int64) = (0, 0)
            for _ in 0..<24 {
                let (used, taken) = (
                    Int64.random(in: 0...5_000_000_000, using: &random),
                    Int64.random(in: 0...1_500_000_000, using: &random)
                )
                try await world.use(acme, usage: used, commission: taken)
                (usage, commission) = (usage + used, commission + taken)
                world.pass(days: 31)
                #expect(try await world.scheduler.run().failures.isEmpty)
                for invoice in try await world.invoices(of: acme) where invoice.status == .open {
                    if Int.random(in: 0..<3, using: &random) == 0 {
                        _ = try await world.store.void(invoice.id, of: acme, by: .command)
                    } else {
                        _ = try await world.pay(invoice)
                    }
                }
            }
            _ = try await world.store.change(acme, .cancelNow, by: .command)
            let invoiced = try await world.invoices(of: acme).filter { $0.status != .void }
                .flatMap(\.lines).filter { $0.kind == .usage || $0.kind == .commission }
                .reduce(0) { $0 + $1.cents }
            let carry = try await world.owner.query(
                "SELECT carry_nano FROM billing_accounts WHERE org_id = \(acme)")[0].decode(Int64.self)
            #expect(invoiced * 10_000_000 + carry == usage + commission, "seed \(seed)")
            #expect(invoiced > 0)
            let lines = try await world.invoices(of: acme).filter { $0.status != .void }.flatMap(\.lines)
            let asCommission = lines.filter { $0.kind == .commission }.reduce(0) { $0 + $1.cents }
            #expect(
                abs(Double(asCommission) / Double(invoiced) - Double(commission) / Double(usage + commission))
                    < 0.2)
            #expect(try await world.plan(of: acme) == "free")
        }
    }

    @Test func `what is given back for a year is kept, and pays the invoices to come`() async throws {
        try await BillingWorld.run { world in
            try await world.store.save(Plan("annual", "Annual", cents: 12_000, every: .year))
            let acme = try await world.makeOrganization("acme")
            _ = try await world.store.subscribe(acme, to: "annual", by: .command)
            for invoice in try await world.invoices(of: acme) { _ = try await world.pay(invoice) }
            _ = try await world.store.upgrade(acme, to: "pro", by: .command)
            let change = try #require(try await world.invoices(of: acme).last)
            #expect(change.lines.map(\.cents) == [-12_000, 2999, 9001])
            #expect((change.totalCents, change.status) == (0, .paid))
            try await world.use(acme, usage: 1_000_000_000)
            for _ in 0..<3 {
                world.pass(days: 31)
                _ = try await world.scheduler.run()
            }
            let invoices = try await world.invoices(of: acme).dropFirst(2)
            // What was used is paid from it too.
            #expect(invoices.first?.lines.map(\.cents) == [2999, 100, -3099])
            let totals = invoices.map(\.totalCents)
            #expect(totals == [0, 0, 96])
            #expect(try await world.owedCents(by: acme) == 96)
        }
    }

    @Test func `one subscription with which something is wrong holds up no other`() async throws {
        try await BillingWorld.run { world in
            var organizations: [UUID] = []
            for index in 0..<3 {
                let organization = try await world.makeOrganization("org\(index)")
                _ = try await world.store.subscribe(organization, to: "starter", by: .command)
                for invoice in try await world.invoices(of: organization) { _ = try await world.pay(invoice) }
                organizations.append(organization)
            }
            try await world.owner.runScript(
                """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
                CREATE TRIGGER refuse BEFORE INSERT ON invoices FOR EACH ROW
                    WHEN (NEW.org_id = '\(organizations[1])') EXECUTE FUNCTION refuse();
                """)
            world.pass(days: 31)
            let report = try await world.scheduler.run()
            #expect(report.failures.count == 1 && report.subscriptions == 2)
            #expect((report.failures.first?.error as? PostgresError)?.kind == .raised)
            let counts = try await withThrowingTaskGroup(of: Int.self) { group in
                for organization in organizations {
                    group.addTask { try await world.invoices(of: organization).count }
                }
                return try await group.reduce(0, +)
            }
            #expect(counts == 5)
        }
    }
}
