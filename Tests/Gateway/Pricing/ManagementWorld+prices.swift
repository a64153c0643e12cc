import Base
import Catalog
import Identity
import Postgres
import Testing

extension ManagementWorld {
    /// Somebody who manages the instance.
    func newOperator() async throws -> Person {
        let boss = try await newPerson("boss")
        try await store.addOperator(boss.user, by: .command)
        return boss
    }

    /// Imports rows of provider, name and price of input, in dollars for a million tokens.
    func importPrices(_ rows: String, source: String = "list") async throws {
        let now = Timestamp.now()
        let contents = try #require(try await CatalogStore(pool).load())
        let history = try await store.readInstance { try await PriceHistory.load($0) }
        let list = try PriceFormat.hivegate.read(Array("provider,upstream_name,input\n\(rows)".utf8))
        let plan = PriceImport(
            [.init(list, source: source)], over: contents.models, after: history, at: now)
        try await store.changeInstance("price.import", "catalog", source, by: .command) { transaction in
            try await CatalogStore.write(
                plan, comparedWith: contents.version, at: now, by: "command", transaction)
        }
    }
}
