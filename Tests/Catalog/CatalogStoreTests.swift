import Base
import Catalog
import Foundation
import Loop
import Postgres
import TestKit
import Testing

/// Against a real PostgreSQL with the migrations of the product, as the application's role.
struct CatalogStoreTests {
    // MARK: What is shipped

    @Test func `a fresh database has the catalogue that is shipped`() async throws {
        try await CatalogWorld.run { world in
            let contents = try #require(try await world.store.load())
            #expect(contents.models.count >= 120)
            #expect(Set(contents.models.map(\.provider)).count >= 18)
            let snapshot = CatalogSnapshot(contents.models)
            #expect(snapshot.models.count == contents.models.count)
            let mini = try #require(snapshot.model(id: "openai/gpt-4o-mini"))
            let price = try #require(mini.price(at: world.now))
            #expect((price.input, price.cacheRead, price.output) == (150_000, 75_000, 600_000))
            #expect((price.inputNanodollars, price.outputNanodollars) == (150, 600))
            #expect((mini.contextTokens, mini.maxOutputTokens, mini.mode) == (128_000, 16_384, .chat))
            #expect(mini.capabilities.contains(.vision) && mini.inputModalities == [.text, .image, .pdf])
            // Cheaper than a nano-dollar a token, and not rounded.
            #expect(snapshot.model(id: "deepseek/deepseek-v4-flash")?.price(at: world.now)?.cacheRead == 2800)
            let sonnet = try #require(snapshot.model(id: "anthropic/claude-sonnet-4-5")?.price(at: world.now))
            #expect(sonnet.longContext == .init(above: 200_000, input: 6_000_000, output: 22_500_000))
            #expect(snapshot.models(named: "gpt-oss-120b").count >= 4)
            #expect(snapshot.model(id: "sandbox/echo")?.price(at: world.now)?.isFree == true)
            // Nobody says what a token costs there.
            let flux = try #require(snapshot.models(named: "flux-1-schnell").first)
            #expect(flux.price(at: world.now) == nil)
            for model in snapshot.models {
                #expect(snapshot.model(id: model.id) == model)
                if let replacement = model.replacement { #expect(snapshot.model(id: replacement) != nil) }
            }
        }
    }

    /// Runs `catalog/make_migration.py` of a copy in `directory`.
    private static func makeMigration(_ arguments: [String], in directory: String) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", directory + "/catalog/make_migration.py"] + arguments
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    private static func copyCatalog() throws -> String {
        let directory = NSTemporaryDirectory() + "hivegate-catalog-\(UUID.make())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for name in ["catalog", "migrations"] {
            try FileManager.default.copyItem(
                atPath: Project.root + "/" + name, toPath: directory + "/" + name)
        }
        return directory
    }

    @Test func `the migration is what the table of models says`() throws {
        #expect(try Self.makeMigration(["--check"], in: Project.root) == 0)
        let directory = try Self.copyCatalog()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/catalog/models.csv"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try text.replacingOccurrences(of: "GPT-4o mini", with: "GPT-4o tiny").write(
            toFile: path, atomically: true, encoding: .utf8)
        #expect(try Self.makeMigration(["--check"], in: directory) != 0)
    }

    @Test func `a later migration ends prices, changes facts, and leaves what the operator entered`()
        async throws
    {
        let directory = try Self.copyCatalog()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/catalog/models.csv"
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
            guard line.hasPrefix("openai,gpt-4o-mini,") || line.hasPrefix("openai,gpt-4o,") else {
                return line
            }
            return line.replacingOccurrences(of: ",2026-08-01,2026-08-01,", with: ",2027-03-01,2027-03-01,")
                .replacingOccurrences(of: ",0.15,", with: ",0.1,")[...]
        }
        try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        let migration = directory + "/later.sql"
        #expect(try Self.makeMigration([migration], in: directory) == 0)
        let script = try String(contentsOfFile: migration, encoding: .utf8)
        try await CatalogWorld.run { world in
            try await world.system { transaction in
                try await transaction.execute(
                    "UPDATE models SET title = 'Ours', source = 'operator' WHERE id = 'openai/gpt-4o'")
                try await transaction.execute(
                    "UPDATE model_prices SET input = 7, source = 'operator' WHERE model_id = 'openai/gpt-4o'")
            }
            try await world.owner.runScript("BEGIN; \(script) COMMIT")
            let snapshot = CatalogSnapshot(try #require(try await world.store.load()).models)
            let mini = try #require(snapshot.model(id: "openai/gpt-4o-mini"))
            let change = Timestamp(seconds: 1_803_859_200)
            #expect(mini.prices.map(\.from) == [mini.prices[0].from, change])
            #expect(mini.price(at: change + .microseconds(-1))?.input == 150_000)
            #expect(mini.price(at: change)?.input == 100_000 && mini.verifiedOn == change)
            let ours = try #require(snapshot.model(id: "openai/gpt-4o"))
            #expect(ours.title == "Ours" && ours.prices.count == 1 && ours.prices[0].input == 7)
        }
    }

    // MARK: What the database refuses

    @Test func `the database takes no two prices of a model for one moment`() async throws {
        try await CatalogWorld.run { world in
            func insert(_ from: String, _ to: String?) async -> PostgresError.Kind? {
                do {
                    try await world.system { transaction in
                        try await transaction.execute(
                            """
                            INSERT INTO model_prices (model_id, effective_from, effective_to, input, source)
                            VALUES ('stability/sd3.5-large', \(from)::text::timestamptz, \(to)::text::timestamptz, 1, 'operator')
                            """)
                    }
                    return nil
                } catch {
                    return (error as? PostgresError)?.kind
                }
            }
            // The shipped one holds from 2026-08-01 on, for ever.
            #expect(await insert("2026-10-01Z", nil) != nil)
            #expect(await insert("2026-07-01Z", "2026-08-01 00:00:01Z") != nil)
            #expect(await insert("2026-07-01Z", "2026-08-01Z") == nil)
            #expect(await insert("2026-06-01Z", "2026-07-02Z") != nil)
            #expect(await insert("2026-06-30Z", "2026-06-30Z") != nil)
            #expect(await insert("2026-06-01Z", "2026-07-01Z") == nil)
            let models = try #require(try await world.store.load()).models
            #expect(models.first { $0.id == "stability/sd3.5-large" }?.prices.count == 3)
        }
    }

    @Test func `everybody reads the catalogue, and only the instance itself writes it`() async throws {
        try await CatalogWorld.run { world in
            let organization = UUID.make()
            try await world.pool.transaction(tenant: organization) { transaction in
                let models = try await transaction.query("SELECT FROM models")
                #expect(models.count >= 120)
                for change: SQL in [
                    "UPDATE models SET title = 'x'", "DELETE FROM model_prices", "DELETE FROM models",
                    "UPDATE catalog_version SET version = 0",
                ] {
                    let changed = try await transaction.execute(change)
                    #expect(changed == 0, "\(change)")
                }
            }
            await #expect(throws: PostgresError.self) {
                try await world.pool.transaction(tenant: organization) { transaction in
                    try await transaction.execute(
                        """
                        INSERT INTO model_prices (model_id, effective_from, source)
                        VALUES ('openai/gpt-5', '2020-01-01', 'me')
                        """)
                }
            }
        }
    }

    // MARK: Importing prices

    @Test func `an import ends old prices, begins new ones, and leaves what the operator entered`()
        async throws
    {
        try await CatalogWorld.run { world in
            try await world.system { transaction in
                try await transaction.execute(
                    "UPDATE model_prices SET source = 'operator' WHERE model_id = 'openai/gpt-4o'")
            }
            let contents = try #require(try await world.store.load())
            let table =
                "provider,upstream_name,input\nopenai,gpt-4o-mini,0.1\nopenai,gpt-4o,9\n"
                + "fireworks,accounts/fireworks/models/flux-1-schnell-fp8,3\nopenai,gpt-4.1,2\nno,such,1"
            let plan = PriceImport(
                [.init(try PriceFormat.hivegate.read(Array(table.utf8)), source: "imported")],
                over: contents.models, at: world.now)
            #expect(plan.changes.count == 2 && plan.unchanged == ["openai/gpt-4.1"])
            #expect(plan.kept == ["openai/gpt-4o"] && plan.unknownCount == 1)
            try await world.system { transaction in
                try await CatalogStore.write(
                    plan, comparedWith: contents.version, at: world.now, by: "test", transaction)
            }
            let snapshot = CatalogSnapshot(try #require(try await world.store.load()).models)
            let mini = try #require(snapshot.model(id: "openai/gpt-4o-mini"))
            #expect(mini.prices.count == 2 && mini.prices[0].until == world.now)
            #expect(mini.price(at: world.now + .microseconds(-1))?.input == 150_000)
            let new = try #require(mini.price(at: world.now))
            #expect((new.input, new.cacheRead, new.output) == (100_000, 75_000, 600_000))
            #expect(new.source == "imported" && mini.verifiedOn > mini.prices[0].from)
            #expect(snapshot.model(id: "openai/gpt-4o")?.prices.count == 1)
            let flux = try #require(snapshot.models(named: "flux-1-schnell").first)
            #expect(flux.price(at: world.now)?.input == 3_000_000)
        }
    }

    @Test func `an import of what was changed meanwhile writes nothing`() async throws {
        try await CatalogWorld.run { world in
            let contents = try #require(try await world.store.load())
            let table = "provider,upstream_name,input\nopenai,gpt-4o-mini,0.1\n"
            let plan = PriceImport(
                [.init(try PriceFormat.hivegate.read(Array(table.utf8)), source: "imported")],
                over: contents.models, at: world.now)
            try await world.system { transaction in
                try await transaction.execute("UPDATE models SET title = 'New' WHERE id = 'openai/gpt-5'")
            }
            await #expect(throws: CatalogStore.Changed.self) {
                try await world.system { transaction in
                    try await CatalogStore.write(
                        plan, comparedWith: contents.version, at: world.now, by: "test", transaction)
                }
            }
            let snapshot = CatalogSnapshot(try #require(try await world.store.load()).models)
            #expect(snapshot.model(id: "openai/gpt-4o-mini")?.prices.count == 1)
        }
    }

    // MARK: Reading it again

    @Test func `a change is seen at the next refresh, and nothing is read where there is none`() async throws
    {
        try await CatalogWorld.run { world in
            let catalog = SharedCatalog()
            #expect(try await catalog.refresh(from: world.store))
            let before = catalog.snapshot
            let isNew = try await catalog.refresh(from: world.store)
            #expect(!isNew && catalog.snapshot === before)
            try await world.system { transaction in
                try await transaction.execute("UPDATE models SET title = 'New' WHERE id = 'openai/gpt-5'")
            }
            #expect(try await catalog.refresh(from: world.store))
            #expect(catalog.snapshot.model(id: "openai/gpt-5")?.title == "New")
            #expect(before.model(id: "openai/gpt-5")?.title == "GPT-5")
            try await world.system { transaction in
                try await transaction.execute("DELETE FROM model_prices WHERE model_id = 'openai/gpt-5'")
            }
            #expect(try await catalog.refresh(from: world.store))
            #expect(catalog.snapshot.model(id: "openai/gpt-5")?.prices == [])
        }
    }

    @Test func `while the database is away the last catalogue stays`() async throws {
        try await CatalogWorld.run { world in
            let catalog = SharedCatalog()
            try await catalog.refresh(from: world.store)
            try await world.owner.runScript("ALTER TABLE models RENAME TO gone")
            try await world.owner.runScript("UPDATE catalog_version SET version = version + 1")
            await #expect(throws: PostgresError.self) { try await catalog.refresh(from: world.store) }
            #expect(catalog.snapshot.models.count >= 120)
            try await world.owner.runScript("ALTER TABLE gone RENAME TO models")
            #expect(try await catalog.refresh(from: world.store))
        }
    }

    @Test func `the age of a provider's prices is that of the one that was compared last`() {
        let now = Timestamp(seconds: 1_795_000_000)
        func model(_ provider: String, seconds: Int64, isPriced: Bool = true) -> CatalogModel {
            CatalogModel(provider, "m\(seconds)", verifiedOn: Timestamp(seconds: now.seconds - seconds)) {
                $0.prices = isPriced ? [ModelPrice(from: Timestamp(seconds: 5), input: 1)] : []
            }
        }
        let models = [
            model("a", seconds: 500), model("a", seconds: 70), model("a", seconds: 3, isPriced: false),
            model("b", seconds: 900), model("c", seconds: 1, isPriced: false),
        ]
        let catalog = SharedCatalog(models)
        #expect(["a", "b", "c", "d"].map { catalog.priceAge(of: $0, at: now) } == [70, 900, nil, nil])
    }

    @Test func `the oldest price is that of the model which nobody has looked at for longest`() {
        let now = Timestamp(seconds: 1_795_000_000)
        func model(_ name: String, days: Int, _ price: ModelPrice?) -> CatalogModel {
            CatalogModel("a", name, verifiedOn: now + .seconds(-days * 86_400 - 5)) {
                $0.prices = price.map { [$0] } ?? []
            }
        }
        let start = Timestamp(seconds: 1_700_000_000)
        let models = [
            model("free", days: 900, ModelPrice(from: start, input: 0, output: 0)),
            model("unpriced", days: 800, nil),
            model("ended", days: 700, ModelPrice(from: start, until: now, input: 1, output: 1)),
            model("old", days: 40, ModelPrice(from: start, input: 1)),
            model("new", days: 2, ModelPrice(from: start, input: 1, output: 1)),
        ]
        #expect(SharedCatalog(models).oldestPriceDays(at: now) == 40)
        #expect(SharedCatalog().oldestPriceDays(at: now) == 0)
    }
}
