import Base
import Billing
import Identity
import Postgres
import Testing

struct BillingStoreTests {
    @Test func `whoever subscribes has the plan at once, and an invoice that is due in 14 days`() async throws
    {
        try await BillingWorld.run { world in
            let acme = try await world.makeOrganization("acme")
            let change = try await world.store.subscribe(acme, to: "pro", by: .command)
            #expect(try await world.plan(of: acme) == "pro")
            let generation = try await world.owner.query(
                "SELECT key_generation FROM organizations WHERE id = \(acme)")[0].decode(Int64.self)
            #expect(change.keyChange?.generation == generation)
            let invoice = try #require(try await world.invoices(of: acme).first)
            #expect((invoice.number, invoice.status, invoice.totalCents) == (1, .open, 2999))
            #expect(invoice.dueAt == world.now + .seconds(14 * 86_400))
            #expect(invoice.lines.map(\.text) == ["Pro"] && change.invoices == [invoice.id])
            #expect(try await world.store.subscription(of: acme) == change.stored)
            #expect(try await world.balance("subscription_revenue", of: acme) == 29_990_000_000)
            #expect(
                try await problem {
                    _ = try await world.store.subscribe(acme, to: "starter", by: .command)
                } == "subscription_state_conflict")
            #expect(
                Set(try await world.store.events(of: acme, limit: 10).map(\.kind))
                    == ["subscription.begun", "invoice.opened"])
        }
    }

    @Test func `of two upgrades at once one happens, and the other is told`() async throws {
        try await BillingWorld.run { world in
            for round in 0..<10 {
                let acme = try await world.makeOrganization("acme\(round)")
                _ = try await world.store.subscribe(acme, to: "starter", by: .command)
                world.now = world.now + .seconds(86_400)
                let outcomes = try await withThrowingTaskGroup(of: String?.self) { group in
                    for plan in ["pro", "enterprise"] {
                        group.addTask {
                            try await problem {
                                _ = try await world.store.upgrade(acme, to: plan, expecting: 1, by: .command)
                            }
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(Set(outcomes) == [nil, "subscription_state_conflict"])
                let stored = try #require(try await world.store.subscription(of: acme))
                #expect(stored.version == 2)
                #expect(try await world.plan(of: acme) == stored.subscription.plan.name)
                #expect(try await world.invoices(of: acme).map(\.number) == [1, 2])
            }
        }
    }

    @Test func `what was quoted is charged, though the plan has become dearer, and for a quarter of an hour`()
        async throws
    {
        try await BillingWorld.run { world in
            let acme = try await world.makeOrganization("acme")
            _ = try await world.store.subscribe(acme, to: "starter", by: .command)
            world.pass(days: 10)
            let (id, quote) = try await world.store.quote(acme, upgradeTo: "pro")
            var pro = try await world.store.plan("pro")
            pro.cents = 9999
            try await world.store.save(pro)
            world.now = world.now + .seconds(14 * 60)
            let change = try await world.store.upgrade(acme, acceptingQuote: id, by: .command)
            let invoice = try await world.store.invoice(try #require(change.invoices.first), of: acme)
            #expect(invoice.totalCents == quote.cents && invoice.lines == quote.lines && quote.cents > 1000)
            #expect(change.stored.subscription.plan.cents == 2999)
            // Once only: the subscription is another one now.
            #expect(
                try await problem {
                    _ = try await world.store.upgrade(acme, acceptingQuote: id, by: .command)
                }
                    == "subscription_state_conflict")
            let (late, _) = try await world.store.quote(acme, upgradeTo: "enterprise")
            world.now = world.now + .seconds(15 * 60)
            #expect(
                try await problem {
                    _ = try await world.store.upgrade(acme, acceptingQuote: late, by: .command)
                }
                    == "subscription_state_conflict")
        }
    }

    @Test func `an organization that must pay first has its plan when it has paid all`() async throws {
        try await BillingWorld.run { world in
            let acme = try await world.makeOrganization("acme")
            _ = try await world.store.subscribe(acme, to: "pro", .prepaid, by: .command)
            #expect(try await world.plan(of: acme) == "free")
            let invoice = try #require(try await world.invoices(of: acme).first)
            #expect(try await world.pay(invoice, 1000).keyChange == nil)
            #expect(try await world.plan(of: acme) == "free")
            let change = try await world.pay(try await world.store.invoice(invoice.id, of: acme))
            #expect(change.invoice.status == .paid && change.keyChange != nil)
            #expect(try await world.plan(of: acme) == "pro")
            #expect(try await world.owedCents(by: acme) == 0)
        }
    }

    @Test func `a payment is counted once, and never for more than is owed`() async throws {
        try await BillingWorld.run { world in
            let acme = try await world.makeOrganization("acme")
            _ = try await world.store.subscribe(acme, to: "pro", by: .command)
            let invoice = try #require(try await world.invoices(of: acme).first)
            #expect(try await problem { _ = try await world.pay(invoice, 3000) } == "payment_exceeds_invoice")
            #expect(try await problem { _ = try await world.pay(invoice, 0) } == "invalid_payment")
            _ = try await world.pay(invoice, 1000, reference: "a")
            #expect(
                try await problem { _ = try await world.pay(invoice, 1000, reference: "a") }
                    == "payment_recorded_already")
            let outcomes = try await withThrowingTaskGroup(of: String?.self) { group in
                for reference in ["b", "c", "d"] {
                    group.addTask {
                        try await problem { _ = try await world.pay(invoice, 1999, reference: reference) }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.filter { $0 == nil }.count == 1)
            #expect(outcomes.filter { $0 == "invoice_state_conflict" }.count == 2)
            #expect(try await world.store.invoice(invoice.id, of: acme).status == .paid)
            #expect(try await world.owedCents(by: acme) == 0)
        }
    }

    @Test func `numbers of invoices have no gaps, though many are opened and some fail`() async throws {
        try await BillingWorld.run { world in
            let acme = try await world.makeOrganization("acme")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<20 {
                    group.addTask {
                        let draft = try await world.store.draft(
                            [InvoiceLine(.subscription, "Support \(index)", cents: 100)], for: acme)
                        if index % 4 == 0 {
                            _ = try await world.store.void(draft.id, of: acme, by: .command)
                        } else {
                            _ = try await world.store.open(draft.id, of: acme)
                            _ = try await problem { _ = try await world.store.open(draft.id, of: acme) }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let numbers = try await world.invoices(of: acme).compactMap(\.number).sorted()
            #expect(numbers == Array(1...15))
        }
    }

    @Test func `what has been sent cannot be changed, not by the program either`() async throws {
        try await BillingWorld.run { world in
            let acme = try await world.makeOrganization("acme")
            _ = try await world.store.subscribe(acme, to: "pro", by: .command)
            let invoice = try #require(try await world.invoices(of: acme).first)
            let statements: [SQL] = [
                "UPDATE invoices SET total_cents = 1", "UPDATE invoices SET number = 9",
                "UPDATE invoices SET status = 'draft', number = NULL, opened_at = NULL, due_at = NULL",
                "UPDATE invoice_lines SET cents = 1", "DELETE FROM invoice_lines", "DELETE FROM invoices",
                """
                INSERT INTO invoice_lines (invoice_id, position, org_id, kind, text, cents)
                VALUES (\(invoice.id), 9, \(acme), 'credit', 'gift', -100)
                """,
            ]
            for statement in statements {
                await #expect(throws: PostgresError.self, "\(statement)") {
                    try await world.pool.transaction(tenant: acme) { transaction in
                        _ = try await transaction.execute(statement)
                    }
                }
            }
            #expect(try await world.store.invoice(invoice.id, of: acme) == invoice)
        }
    }

    @Test func `who only uses is asked for what they have used, and not twice`() async throws {
        try await BillingWorld.run { world in
            let acme = try await world.makeOrganization("acme")
            #expect(try await world.store.invoiceUsage(of: acme) == nil)
            try await world.use(acme, usage: 1_000_000_000, commission: 305_000_000)
            let invoice = try #require(try await world.store.invoiceUsage(of: acme))
            #expect(invoice.lines.map(\.kind) == [.usage, .commission])
            #expect(invoice.lines.map(\.cents) == [100, 30])
            #expect(try await world.store.invoiceUsage(of: acme) == nil)
            // Paid in part, nothing more is asked for; what was half a cent is one when as much has come to it.
            _ = try await world.pay(invoice, 100)
            #expect(try await world.store.invoiceUsage(of: acme) == nil)
            try await world.use(acme, usage: 5_000_000)
            #expect(try await world.store.invoiceUsage(of: acme)?.totalCents == 1)
        }
    }

    @Test func `no organization sees what another pays, and the end of one takes all of it along`()
        async throws
    {
        try await BillingWorld.run { world in
            let (acme, other) = (
                try await world.makeOrganization("acme"), try await world.makeOrganization("other")
            )
            for organization in [acme, other] {
                _ = try await world.store.subscribe(organization, to: "starter", by: .command)
                _ = try await world.store.quote(organization, upgradeTo: "pro")
                let invoice = try #require(try await world.invoices(of: organization).first)
                _ = try await world.pay(invoice)
                _ = try await world.idempotency.claim("k", at: "e", of: organization, body: [])
            }
            let invoice = try #require(try await world.invoices(of: other).first)
            #expect(
                try await problem { _ = try await world.store.invoice(invoice.id, of: acme) } == "not_found")
            let tables = [
                "billing_accounts", "subscriptions", "subscription_quotes", "invoices", "invoice_lines",
                "invoice_payments", "billing_events", "idempotency_keys",
            ]
            for table in tables {
                let seen = try await world.pool.transaction(tenant: acme) { transaction in
                    try await transaction.query("SELECT DISTINCT org_id FROM \(unsafeSQL: table)").decode(
                        UUID.self)
                }
                #expect(seen == [acme], "\(table)")
            }
            _ = try await world.owner.query(
                "UPDATE organizations SET deleted_at = now() - interval '31 days' WHERE id = \(acme)")
            #expect(try await world.identity.clean() == 1)
            for table in tables {
                let left = try await world.owner.query("SELECT DISTINCT org_id FROM \(unsafeSQL: table)")
                    .decode(UUID.self)
                #expect(left == [other], "\(table)")
            }
        }
    }

    @Test func `what Stripe says holds, and what it is asked for changes nothing by itself`() async throws {
        try await BillingWorld.run { world in
            let acme = try await world.makeOrganization("acme")
            let begun = try await world.store.subscribe(acme, to: "pro", .prepaid, by: .command)
            let (plan, period) = (begun.stored.subscription.plan, begun.stored.subscription.period)
            var standing = StripeStanding("sub_1", seenAt: world.now, .active, plan, period)
            #expect(try await world.store.follow(standing, of: acme).keyChange != nil)
            #expect(try await world.plan(of: acme) == "pro")
            let asked = try await world.store.change(acme, .cancelNow, by: .command)
            #expect(asked.wishes == [.cancelNow] && asked.stored.subscription.status == .active)
            standing.seenAt = world.now + .seconds(2)
            standing.status = .canceled
            standing.endedAt = world.now
            _ = try await world.store.follow(standing, of: acme)
            standing.seenAt = world.now + .seconds(1)
            standing.status = .active
            standing.endedAt = nil
            _ = try await world.store.follow(standing, of: acme)
            #expect(try await world.store.subscription(of: acme)?.subscription.status == .canceled)
            #expect(try await world.plan(of: acme) == "free")
        }
    }
}
