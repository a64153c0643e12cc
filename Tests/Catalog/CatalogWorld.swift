import Base
import Catalog
import Loop
import Postgres
import TestKit

/// A catalogue in a real PostgreSQL with the migrations of the product, as the application's role.
struct CatalogWorld: Sendable {
    let pool: PostgresPool
    let store: CatalogStore
    /// As the superuser: for what the application cannot do.
    let owner: PostgresConnection
    let now = Timestamp.now()

    static func run(_ body: @escaping @Sendable (CatalogWorld) async throws -> Void) async throws {
        let database = try await MigratedDatabase()
        try await onLoop { loop in
            let owner = try await database.owner(on: loop)
            defer { owner.close() }
            let pool = try database.pool(on: loop)
            try await body(CatalogWorld(pool: pool, store: CatalogStore(pool), owner: owner))
            await pool.close(until: .now() + .seconds(5))
        }
    }

    @discardableResult
    func system<Value>(_ body: (PostgresTransaction) async throws -> Value) async throws -> Value {
        try await pool.transaction { transaction in
            _ = try await transaction.query("SELECT set_config('app.system', 'on', true)")
            return try await body(transaction)
        }
    }

    /// Imports rows of provider, name and price of input, in dollars for a million tokens.
    func `import`(_ rows: String, source: String = "list", at moment: Timestamp? = nil) async throws {
        let moment = moment ?? now
        let contents = try await store.load()
        let history = try await system { try await PriceHistory.load($0) }
        let list = try PriceFormat.hivegate.read(Array("provider,upstream_name,input\n\(rows)".utf8))
        let plan = PriceImport(
            [.init(list, source: source)], over: contents?.models ?? [], after: history, at: moment)
        try await system { transaction in
            try await CatalogStore.write(
                plan, comparedWith: contents?.version ?? 0, at: moment, by: "test", transaction)
        }
    }

    func proposals(
        _ state: PriceProposal.State = .open, after: UUID? = nil, limit: Int = 100
    ) async throws -> [PriceProposal] {
        try await system { try await CatalogStore.proposals(state, after: after, limit: limit, $0) }
    }

    func approve(_ id: UUID, at moment: Timestamp) async throws {
        try await system { try await CatalogStore.approve(id, at: moment, by: "boss", $0) }
    }

    func reject(_ id: UUID) async throws {
        try await system { try await CatalogStore.reject(id, at: now, by: "boss", $0) }
    }

    func prices(of model: String) async throws -> [ModelPrice] {
        try await store.load()?.models.first { $0.id == model }?.prices ?? []
    }

    func price(of model: String, at moment: Timestamp? = nil) async throws -> ModelPrice? {
        try await prices(of: model).last { $0.holds(at: moment ?? now + .seconds(1)) }
    }
}
