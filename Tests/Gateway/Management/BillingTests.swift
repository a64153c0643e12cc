import Base
import Billing
import Identity
import JSON
import Postgres
import Testing

/// What organizations pay for, as they and operators see it.
struct BillingTests {
    private typealias Person = ManagementWorld.Person
    private static let subscriptions = "/api/v1/billing/subscriptions"

    private static func id(_ answer: ManagementWorld.Answer) throws -> String {
        try #require(answer.json?["id"]?.string, "\(answer.text)")
    }

    private static func usd(_ answer: ManagementWorld.Answer, _ name: StaticString) -> String? {
        answer.json?[name]?["usd"]?.string
    }

    private static func list(_ answer: ManagementWorld.Answer, _ name: StaticString) -> [JSONValue] {
        answer.json?[name].map { Array($0.elements) } ?? []
    }

    private static func newOperator(_ world: ManagementWorld) async throws -> Person {
        let boss = try await world.newPerson("boss")
        try await world.store.addOperator(boss.user, by: .command)
        return boss
    }

    private static func subscribe(_ person: Person, to plan: String, _ world: ManagementWorld) async throws
        -> String
    {
        let begun = try await world.send("POST", subscriptions, as: person, #"{"plan":"\#(plan)"}"#)
        #expect(begun.status == 201, "\(begun.text)")
        return try id(begun)
    }

    private static func actions(in organization: UUID, _ world: ManagementWorld) async throws -> [String] {
        try await world.owner.query(
            "SELECT action FROM audit_entries WHERE org_id = \(organization) ORDER BY sequence"
        ).decode(String.self)
    }

    @Test func `where nobody pays billing is not there, and says why`() async throws {
        var options = ManagementWorld.Options()
        options.hasBilling = false
        try await ManagementWorld.run(options) { world in
            let ann = try await world.newPerson("ann")
            for path in ["tiers", "invoices", "balance"] {
                let answer = try await world.send("GET", "/api/v1/billing/\(path)", as: ann)
                #expect(answer.status == 404 && answer.code == "billing_disabled")
            }
        }
    }

    @Test func `whoever subscribes has the plan at once, is asked to pay, and goes on when it is paid`()
        async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let boss = try await Self.newOperator(world)
            let tiers = try await world.send("GET", "/api/v1/billing/tiers")
            #expect(
                tiers.json?["data"]?.elements.compactMap { $0["name"]?.string }
                    == ["free", "starter", "pro", "enterprise"])
            let id = try await Self.subscribe(ann, to: "starter", world)
            let limits = try await world.send("GET", "/api/v1/limits", as: ann)
            #expect(limits.json?["plan"]?.string == "starter")
            let mine = try await world.send("GET", "/api/v1/billing/subscriptions/user/\(ann.user)", as: ann)
            #expect(try Self.id(mine) == id)

            let listed = try await world.send("GET", "/api/v1/billing/invoices", as: ann)
            let invoice = try #require(Self.list(listed, "data").first)
            let invoiceID = try #require(invoice["id"]?.string)
            #expect(invoice["total"]?["usd"]?.string == "10" && invoice["status"]?.string == "open")
            let path = "/api/v1/billing/invoices/\(invoiceID)"
            let pdf = try await world.send("GET", "\(path)/pdf", as: ann)
            #expect(pdf["content-type"] == "application/pdf" && pdf.text.hasPrefix("%PDF-1.4"))
            let page = try await world.send("GET", "\(path)/html", as: ann)
            #expect(page.text.contains("Invoice 1") && page.text.contains("Hivegate Test"))
            let upcoming = try await world.send("GET", "/api/v1/billing/invoices/upcoming", as: ann)
            #expect(Self.usd(upcoming, "total") == "10")

            let part = try await world.send(
                "POST", "\(path)/payments", as: boss,
                #"{"amount":{"usd":"4.00"},"method":"bank_transfer","reference":"1"}"#)
            #expect(part.status == 200 && Self.usd(part, "rest") == "6", "\(part.text)")
            let again = try await world.send(
                "POST", "\(path)/pay", as: boss, #"{"method":"bank_transfer","reference":"1"}"#)
            #expect(again.status == 409 && again.code == "payment_recorded_already")
            let rest = try await world.send(
                "POST", "\(path)/pay", as: boss, #"{"method":"bank_transfer","reference":"2"}"#)
            #expect(rest.json?["status"]?.string == "paid", "\(rest.text)")
            let void = try await world.send("POST", "\(path)/void", as: boss)
            #expect(void.status == 409 && void.code == "invoice_state_conflict")
            let actions = try await Self.actions(in: ann.organization, world)
            #expect(actions.filter { $0 == "invoice.payment" }.count == 2)
            #expect(actions.contains("organization.plan"))
        }
    }

    @Test func `of two upgrades at once one wins, and the other is told`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let id = try await Self.subscribe(ann, to: "starter", world)
            async let one = world.send(
                "POST", "\(Self.subscriptions)/\(id)/upgrade", as: ann, #"{"plan":"pro"}"#)
            async let other = world.send(
                "POST", "\(Self.subscriptions)/\(id)/upgrade", as: ann, #"{"plan":"pro"}"#)
            let answers = try await [one, other].sorted { $0.status < $1.status }
            #expect(answers.map(\.status) == [200, 409], "\(answers.map(\.text))")
            #expect(answers[1].code == "subscription_state_conflict")
            let invoices = try await world.send("GET", "/api/v1/billing/invoices", as: ann)
            #expect(Self.list(invoices, "data").count == 2)
        }
    }

    @Test func `what was quoted is charged, and a subscription that ends goes on or begins anew`()
        async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let id = try await Self.subscribe(ann, to: "starter", world)
            let path = "\(Self.subscriptions)/\(id)"
            let quote = try await world.send("POST", "\(path)/preview", as: ann, #"{"plan":"pro"}"#)
            let name = try #require(quote.json?["quote_id"]?.string, "\(quote.text)")
            world.age(.seconds(600))
            let accepted = try await world.send(
                "POST", "\(path)/upgrade", as: ann, #"{"quote_id":"\#(name)"}"#)
            #expect(accepted.json?["plan"]?["name"]?.string == "pro", "\(accepted.text)")
            let invoices = try await world.send("GET", "/api/v1/billing/invoices?limit=1", as: ann)
            #expect(
                Self.list(invoices, "data").first?["total"]?["usd"]?.string == Self.usd(quote, "amount"))

            let down = try await world.send("POST", "\(path)/downgrade", as: ann, #"{"plan":"starter"}"#)
            #expect(down.json?["next_plan"]?["name"]?.string == "starter", "\(down.text)")
            let ending = try await world.send("POST", "\(path)/cancel", as: ann)
            #expect(ending.json?["cancel_at_period_end"]?.bool == true, "\(ending.text)")
            let on = try await world.send("PATCH", path, as: ann, #"{"cancel_at_period_end":false}"#)
            #expect(on.json?["cancel_at_period_end"]?.bool == false, "\(on.text)")
            let gone = try await world.send("POST", "\(path)/cancel", as: ann, #"{"at_period_end":false}"#)
            #expect(
                gone.json?["status"]?.string == "canceled" && gone.json?["plan_in_force"]?.string == "free")
            let late = try await world.send("POST", "\(path)/resume", as: ann)
            #expect(late.status == 409 && late.code == "subscription_state_conflict")
            let renewed = try await world.send("POST", "\(path)/renew", as: ann)
            #expect(
                renewed.status == 201 && renewed.json?["plan"]?["name"]?.string == "pro", "\(renewed.text)")
        }
    }

    @Test func `a request that is sent twice is done once`() async throws {
        try await ManagementWorld.run { world in
            let boss = try await Self.newOperator(world)
            let credential = ManagementWorld.Credential.bearer(boss.token)
            func topUp(_ key: String, _ dollars: String, _ reference: String) async throws
                -> ManagementWorld.Answer
            {
                try await world.send(
                    "POST", "/api/v1/billing/topups", as: credential,
                    #"{"organization_id":"\#(boss.organization)","amount":{"usd":"\#(dollars)"},"reference":"\#(reference)"}"#,
                    fields: [("Idempotency-Key", key)])
            }
            let first = try await topUp("a", "25.00", "wire 1")
            #expect(first.status == 201 && Self.usd(first, "available") == "25", "\(first.text)")
            #expect(first["idempotent-replayed"] == nil)
            let second = try await topUp("a", "25.00", "wire 1")
            #expect(
                second.status == 201 && second.text == first.text && second["idempotent-replayed"] == "true")
            let other = try await topUp("a", "26.00", "wire 1")
            #expect(other.status == 422 && other.code == "idempotency_key_reused")
            // Without the key the reference still counts.
            let repeated = try await topUp("b", "25.00", "wire 1")
            #expect(repeated.status == 409 && repeated.code == "booked_already")
            // What was refused is no answer to keep.
            let fresh = try await topUp("b", "5.00", "wire 2")
            #expect(fresh.status == 201 && Self.usd(fresh, "wallet") == "30", "\(fresh.text)")
        }
    }

    @Test func `the cap of a wallet less what was spent is what the books have for it`() async throws {
        try await ManagementWorld.run { world in
            let boss = try await Self.newOperator(world)
            let organization = boss.organization
            func book(_ path: String, _ dollars: String, _ reference: String) async throws
                -> ManagementWorld.Answer
            {
                try await world.send(
                    "POST", "/api/v1/billing/\(path)", as: boss,
                    #"{"organization_id":"\#(organization)","amount":{"usd":"\#(dollars)"},"reference":"\#(reference)"}"#
                )
            }
            func check() async throws {
                let balance = try await world.wallets.balance(of: organization)
                #expect(balance.cap - balance.settled == balance.wallet + balance.promo + balance.receivable)
            }
            let generation: SQL = "SELECT key_generation FROM organizations WHERE id = \(organization)"
            let before = try await world.owner.query(generation)[0].decode(Int64.self)
            #expect(try await book("topups", "10", "a").status == 201)
            #expect(try await world.owner.query(generation)[0].decode(Int64.self) > before)
            try await check()
            #expect(try await book("credits", "2.5", "b").status == 201)
            try await check()
            let limit = try #require(try await world.wallets.balance(of: organization).limit)
            // As a drain books a call that has cost 3 dollars, and a gateway that holds another 4.
            try await world.owner.execute(
                """
                INSERT INTO ledger_transfers (id, org_id, debit, credit, amount_nano, reason, batch_id) VALUES
                    (\(UUID.make()), \(organization), 'promo', 'usage_revenue', 2500000000, 'usage', \(UUID.make())),
                    (\(UUID.make()), \(organization), 'wallet', 'usage_revenue', 500000000, 'usage', \(UUID.make()))
                """)
            try await world.owner.execute(
                "UPDATE money_limits SET settled_nano = 3000000000, granted_nano = 4000000000 WHERE id = \(limit)"
            )
            try await world.owner.execute(
                """
                INSERT INTO money_grants (id, limit_id, org_id, amount_nano)
                VALUES (\(UUID.make()), \(limit), \(organization), 4000000000)
                """)
            try await check()
            let tooMuch = try await book("refunds", "9.6", "c")
            #expect(tooMuch.status == 422 && tooMuch.code == "refund_exceeds_wallet", "\(tooMuch.text)")
            let inUse = try await book("refunds", "5.6", "c")
            #expect(inUse.status == 409 && inUse.code == "held_by_inflight", "\(inUse.text)")
            let given = try await book("refunds", "5.5", "c")
            #expect(given.status == 201 && Self.usd(given, "wallet") == "4", "\(given.text)")
            try await check()
            let holds = try await world.send("GET", "/api/v1/billing/holds", as: boss)
            #expect(Self.list(holds, "grants").first?["amount"]?["usd"]?.string == "4", "\(holds.text)")
            let sum = try await world.owner.query(
                "SELECT sum(balance_nano)::bigint FROM ledger_accounts WHERE org_id = \(organization)")[0]
                .decode(Int64.self)
            #expect(sum == 0)
        }
    }

    @Test func `the books are read page by page, and nothing is in two`() async throws {
        try await ManagementWorld.run { world in
            let boss = try await Self.newOperator(world)
            for number in 1...5 {
                _ = try await world.wallets.topUp(
                    boss.organization, by: Int64(number) * 1_000_000_000, reference: "wire \(number)",
                    by: .command)
            }
            var references: [String] = []
            var cursor: String?
            repeat {
                let more = cursor.map { "&cursor=\($0)" } ?? ""
                let page = try await world.send("GET", "/api/v1/billing/ledger?limit=2\(more)", as: boss)
                references += page.json?["data"]?.elements.compactMap { $0["reference"]?.string } ?? []
                cursor = page.json?["next"]?.string
            } while cursor != nil
            #expect(references == (1...5).reversed().map { "wire \($0)" })
            let wrong = try await world.send("GET", "/api/v1/billing/ledger?cursor=1.x", as: boss)
            #expect(wrong.status == 422)
        }
    }

    @Test func `an operator makes plans, and one that is in use is archived at most`() async throws {
        try await ManagementWorld.run { world in
            let boss = try await Self.newOperator(world)
            let path = "/api/v1/admin/plans/team"
            let bad = try await world.send(
                "PUT", path, as: boss,
                #"{"title":"Team","price_cents":500,"commission":{"basis_points":10000,"mode":"take_rate"}}"#)
            #expect(bad.status == 422, "\(bad.text)")
            let made = try await world.send(
                "PUT", path, as: boss,
                #"{"title":"Team","price_cents":500,"limits":{"organization":{"requests_per_minute":500}}}"#)
            #expect(made.status == 200 && made.json?["source"]?.string == "operator", "\(made.text)")
            _ = try await Self.subscribe(boss, to: "team", world)
            let refused = try await world.send("DELETE", path, as: boss)
            #expect(refused.status == 409 && refused.code == "plan_in_use")
            let archived = try await world.send("POST", "\(path)/archive", as: boss)
            #expect(archived.json?["archived"]?.bool == true, "\(archived.text)")
            let tiers = try await world.send("GET", "/api/v1/billing/tiers")
            #expect(!tiers.text.contains("team"))
            #expect(try await world.send("DELETE", "/api/v1/admin/plans/enterprise", as: boss).status == 204)
            let actions = try await Self.actions(in: AuditEntry.instance, world)
            #expect(actions.contains("plan.save") && actions.contains("plan.delete"))
        }
    }
}

extension BillingTests {
    @Test func `an operator gives an organization a price of its own, and sends it an invoice by hand`()
        async throws
    {
        try await ManagementWorld.run { world in
            let boss = try await Self.newOperator(world)
            let ann = try await world.newPerson("ann")
            let base = "/api/v1/admin/organizations/\(ann.organization)"
            var custom = try await world.billing.plan("enterprise")
            custom.isCustom = true
            try await world.billing.save(custom)
            let begun = try await world.send(
                "POST", "\(base)/subscription", as: boss, #"{"plan":"enterprise","price_cents":150000}"#)
            #expect(begun.status == 201, "\(begun.text)")
            #expect(begun.json?["plan"]?["price"]?["usd"]?.string == "1500")
            let sent = try await world.send(
                "POST", "\(base)/invoices", as: boss,
                #"{"lines":[{"text":"Setting it up","cents":25000},{"text":"Discount","cents":-5000}]}"#)
            #expect(sent.status == 201 && Self.usd(sent, "total") == "200", "\(sent.text)")
            let seen = try await world.send(
                "GET", "/api/v1/billing/invoices/\(try Self.id(sent))", as: ann)
            #expect(seen.json?["status"]?.string == "open" && seen.json?["number"]?.int == 2)
            let negative = try await world.send(
                "POST", "\(base)/invoices", as: boss, #"{"lines":[{"text":"Discount","cents":-5000}]}"#)
            #expect(negative.status == 422 && negative.code == "invalid_invoice")
            let nobody = try await world.send(
                "POST", "/api/v1/admin/organizations/\(UUID.make())/invoices", as: boss,
                #"{"lines":[{"text":"Setting it up","cents":25000}]}"#)
            #expect(nobody.status == 404, "\(nobody.text)")
            #expect(try await Self.actions(in: ann.organization, world).contains("invoice.open"))
        }
    }
}
