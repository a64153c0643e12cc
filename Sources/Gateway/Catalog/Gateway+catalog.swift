import Base
import Catalog
import HTTPServer
import HTTPWire
import Identity
import JSON
import Providers

extension Gateway {
    /// Where the requests of who asks may go.
    func reach(_ call: APICall) async throws -> Reach {
        switch call.principal.credential {
        case .key(let caller): try await reach(of: caller)
        case .session: router.reach(of: try await ownRoutes.routes(of: call.principal.organization))
        }
    }

    func searchModels(_ call: APICall) async throws -> Reply {
        let query = CatalogQuery(call.query)
        let page = catalog.snapshot.search(
            query, limit: call.query.integer("limit"), after: try call.cursor(of: query), at: call.now,
            among: call.principal.modelRights.filter)
        let reach = try await reach(call)
        let reply = Reply.json { json in
            json.array("data") { json in
                for model in page.models {
                    json.object { json in
                        json.fields(of: model, isAvailable: reach.canAsk(model), at: call.now)
                    }
                }
            }
            json.object("facets") { $0.fields(of: page.facets) }
            json.field("next_cursor", page.next?.text)
            json.field("total", page.total)
        }
        return tagged(reply, call)
    }

    /// With a name for what it says, and without the rest where the client has that already. It may be kept, but only
    /// by who asked.
    private func tagged(_ reply: Reply, _ call: APICall) -> Reply {
        let tag = "\"\(String(hex: Digest.sha256(reply.body).prefix(16)))\""
        call.exchange.responseFields.replace("Cache-Control", "private, no-cache")
        let known = call.exchange.request.fields.values("if-none-match")
        if EntityTagCondition.matches(known, tag: Array(tag.utf8)) { return .empty(304, ["ETag": tag]) }
        var reply = reply
        reply.fields.append("ETag", tag)
        return reply
    }

    func showModel(_ call: APICall) async throws -> Reply {
        let name = call.text("model_id")
        let reach = try await reach(call)
        let rights = call.principal.modelRights
        let found = catalog.snapshot.models(named: name).filter(rights.contains)
        guard let model = found.first, found.count == 1 else {
            throw Problem.noModel(
                name, suggestions: found.isEmpty ? suggestions(for: name, reach, rights) : found.map(\.id))
        }
        return .json { json in
            json.fields(
                of: model, isAvailable: reach.canAsk(model), at: call.now)
            json.array("price_history") { json in
                for price in model.prices { json.object { $0.fields(of: price) } }
            }
        }
    }

    func showProviderHealth(_ call: APICall) async throws -> Reply {
        let now = time.instant()
        let reach = try await reach(call)
        return .json { json in
            json.list(reach.upstreams) { json, upstream in
                json.field("provider", upstream.name)
                json.field("title", upstream.settings.title)
                json.fields(of: upstream.health(at: now), at: now)
            }
        }
    }

    // MARK: Did you mean

    private static let suggestionCount = 3

    /// Names most like one that nobody has.
    func suggestions(
        for name: String, _ reach: Reach, _ rights: ModelRights, onlyAvailable: Bool = false
    ) -> [String] {
        let snapshot = catalog.snapshot
        let now = time.timestamp()
        let nearest = snapshot.nearest(
            to: name, limit: onlyAvailable || !rights.areAll ? 50 : Self.suggestionCount)
        return nearest.lazy.filter { candidate in
            snapshot.models(named: candidate).contains { model in
                guard rights.contains(model) else { return false }
                return !onlyAvailable || reach.canAsk(model) && !model.isShutDown(at: now)
            }
        }.prefix(Self.suggestionCount).map { $0 }
    }
}

extension Problem {
    /// For a name that no model has, or that several have.
    static func noModel(_ name: String, suggestions: [String]) -> Problem {
        let meant = suggestions.prefix(8).map { "\"\($0)\"" }.joined(separator: " or ")
        return Problem(
            .notFound, code: "model_not_found",
            "There is no model \"\(name.prefix(100))\"." + (meant.isEmpty ? "" : " Did you mean \(meant)?")
                + " GET /v1/models lists those that can be named.",
            field: "model")
    }
}

extension CatalogQuery {
    /// As the query of `searchModels` has it.
    fileprivate init(_ fields: Fields) {
        func list(_ name: String) -> [String] {
            fields.optionalString(name)?.split(separator: ",").map(String.init) ?? []
        }
        self.init { query in
            query.text = fields.optionalString("q") ?? ""
            query.providers = list("provider")
            query.modes = fields.optionalChoice("mode", as: CatalogModel.Mode.self).map { [$0] } ?? []
            query.modalities = list("modality").compactMap { CatalogModel.Modality(rawValue: $0) }
            query.capabilities = list("capability").compactMap { CatalogModel.Capability(rawValue: $0) }
            query.minimumContext = fields.optionalInteger("min_context")
            query.highestInputPrice = fields.optionalNumber("max_input_price").map(Self.picodollars)
            query.highestOutputPrice = fields.optionalNumber("max_output_price").map(Self.picodollars)
            query.isFree = fields.optionalBool("free")
            query.includesDeprecated = fields.bool("include_deprecated")
            query.sort = fields.choice("sort", as: CatalogQuery.Sort.self)
        }
    }

    /// Of dollars for a million tokens. A double may lie a hair below the number that was written.
    private static func picodollars(_ dollars: Double) -> Int { Int((dollars * 1e6 + 1e-6).rounded(.down)) }
}
