import Base
import Catalog
import HTTPServer
import Identity
import JSON
import Postgres

/// The handlers of `PricingEndpoints`, but for estimates.
extension Gateway {
    func listModelPrices(_ call: APICall) async throws -> Reply {
        let query = CatalogQuery { query in
            query.text = call.query.optionalString("q") ?? ""
            query.providers = call.query.optionalString("provider").map { [$0] } ?? []
            query.includesDeprecated = true
        }
        let page = catalog.snapshot.search(
            query, limit: call.query.integer("limit"), after: try call.cursor(of: query), at: call.now,
            among: call.principal.modelRights.filter)
        let moment = call.query.optionalTimestamp("at") ?? call.now
        let organization = call.principal.organization
        let own = try await identity.store.pool.transaction(tenant: organization, readOnly: true) {
            try await CatalogStore.overrides(of: organization, holdingAt: moment, $0)
        }
        return .json { json in
            json.array("data") { json in
                for model in page.models {
                    let list = model.price(at: moment)
                    let own = own[model.id]
                    json.object { json in
                        json.field("model", model.id)
                        json.field("provider", model.provider)
                        json.field("title", model.title)
                        json.price(own?.price.laid(over: list) ?? list)
                        json.field("override_id", own?.id.description)
                    }
                }
            }
            json.field("next_cursor", page.next?.text)
        }
    }

    func enterPrice(_ call: APICall) async throws -> Reply {
        let model = try model(named: call.fields.string("model"), call)
        let price = try ModelPrice(call.fields, at: call.now)
        let known = try await identity.store.readInstance { try await CatalogStore.prices(of: model.id, $0) }
        var json = JSONWriter()
        json.object { $0.fields(of: price) }
        do {
            try await identity.store.changeInstance(
                "price.enter", "model", model.id, after: String(decoding: json.bytes, as: UTF8.self),
                by: call.actor
            ) { try await CatalogStore.enter(price, of: model.id, after: known, $0) }
        } catch is CatalogStore.Changed {
            throw Problem(
                .conflict, code: "price_changed",
                "Somebody else has entered a price of this model at the same time, or for the same moment. Look at it "
                    + "and try again.")
        }
        try await refreshCatalog()
        let entered = catalog.snapshot.model(id: model.id)?.prices.first { $0.from == price.from }
        return .json(201) { json in
            json.field("model", model.id)
            json.price(entered ?? price)
        }
    }

    /// The one model of this name that the caller may know of.
    func model(named name: String, _ call: APICall) throws(Problem) -> CatalogModel {
        let found = try models(named: name, call)
        guard found.count == 1 else { throw .noModel(name, suggestions: found.map(\.id)) }
        return found[0]
    }

    /// All of this name that the caller may know of; never none.
    func models(named name: String, _ call: APICall) throws(Problem) -> [CatalogModel] {
        let rights = call.principal.modelRights
        let found = catalog.snapshot.models(named: name).filter(rights.contains)
        guard !found.isEmpty else { throw .noModel(name, suggestions: []) }
        return found
    }
}

extension APICall {
    /// Behind what the page begins; nil where it is the first.
    func cursor(of query: CatalogQuery) throws(Problem) -> CatalogCursor? {
        guard let text = self.query.optionalString("cursor") else { return nil }
        if let cursor = CatalogCursor(text, of: query) { return cursor }
        throw Problem(
            .unprocessable, code: "invalid_cursor",
            "The cursor is none, or is another query's. Send \"next_cursor\" of an answer to the same query.",
            field: "cursor")
    }
}
