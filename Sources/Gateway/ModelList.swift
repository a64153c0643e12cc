import Base
import Catalog
import HTTPClient
import Identity
import JSON
import Providers

/// The models that a client may name: those of the sandbox, those of the catalogue whose provider is set up, and what
/// providers list themselves beyond that. In the shape that the SDKs of OpenAI and Anthropic both read.
// Confined to its loop.
final class ModelList: @unchecked Sendable {
    private static let freshness = Duration.seconds(60)
    private static let largestList = 4 * 1024 * 1024
    private static let deadlines = HTTPClientRequest.Deadlines(
        connect: .seconds(2), firstByte: .seconds(5), betweenBytes: .seconds(5), total: .seconds(10))

    private struct Model: JSONWritable {
        let id: String
        let title: String
        let owner: String
        let created: Int

        func write(to json: inout JSONWriter) {
            json.object { json in
                json.field("id", id)
                json.field("object", "model")
                json.field("created", created)
                json.field("owned_by", owner)
                json.field("type", "model")
                json.field("display_name", title)
                json.field("created_at", Timestamp(seconds: Int64(created)).description)
            }
        }
    }

    /// Lists of so many upstreams are remembered.
    private static let largestTable = 1000

    private let clients: OutboundClients
    private let catalog: SharedCatalog
    private let logger: Logger
    private let time: TimeSource
    private var lists = ClockTable<ObjectIdentifier, Listing>(capacity: largestTable)

    /// It holds its upstream, so that no other is taken for it.
    private struct Listing {
        var upstream: Upstream
        var models: [Model]
        var loadedAt: Instant
    }

    init(_ clients: OutboundClients, catalog: SharedCatalog, logger: Logger, time: TimeSource) {
        self.clients = clients
        self.catalog = catalog
        self.logger = logger
        self.time = time
    }

    /// Those within `reach` that a caller may name.
    func json(within reach: Reach, for rights: ModelRights) async throws -> [UInt8] {
        let snapshot = catalog.snapshot
        let now = time.timestamp()
        var models = SandboxModel.allCases.filter { rights.contains($0.id) }.map { Self.model($0, snapshot) }
        models += snapshot.models.filter { model in
            reach.has(model.provider) && !Self.isOfTheHouse(model.provider) && !model.isShutDown(at: now)
                && rights.contains(model)
        }.map(Self.model)
        var listed: Set<String> = []
        for upstream in reach.upstreams {
            for model in try await list(of: upstream) {
                if let known = snapshot.models(named: model.id).first {
                    // Others list what they shut down, or by a name that the catalogue has another for.
                    guard Self.isOfTheHouse(upstream.name), rights.contains(known),
                        listed.insert(known.id).inserted
                    else { continue }
                    models.append(Self.model(known))
                } else if rights.contains(model.id), listed.insert(model.id).inserted {
                    models.append(model)
                }
            }
        }
        return Self.json(models)
    }

    /// The model of this id, or the first that goes by this name and can be asked for here by whoever has these rights; nil
    /// where there is none.
    func json(named name: String, within reach: Reach, for rights: ModelRights) async throws -> [UInt8]? {
        guard let model = try await model(named: name, reach, rights) else { return nil }
        var json = JSONWriter(capacity: 256)
        json.value(model)
        return json.bytes
    }

    /// A server of the house serves what it has and nothing else, whatever the catalogue knows.
    private static func isOfTheHouse(_ provider: String) -> Bool { ModelServer(rawValue: provider) != nil }

    private func isServed(_ model: CatalogModel, _ reach: Reach, _ snapshot: CatalogSnapshot) async throws
        -> Bool
    {
        guard Self.isOfTheHouse(model.provider) else { return reach.has(model.provider) }
        for upstream in reach.upstreams(named: model.provider) {
            let listed = try await list(of: upstream)
            if listed.contains(where: { snapshot.models(named: $0.id).first?.id == model.id }) { return true }
        }
        return false
    }

    private func model(named name: String, _ reach: Reach, _ rights: ModelRights) async throws -> Model? {
        let snapshot = catalog.snapshot
        let mayName = rights.contains(name)
        if let model = SandboxModel(id: name) { return mayName ? Self.model(model, snapshot) : nil }
        let now = time.timestamp()
        let known = snapshot.models(named: name)
        for model in known where !model.isShutDown(at: now) && rights.contains(model, named: name) {
            if try await isServed(model, reach, snapshot) { return Self.model(model) }
        }
        guard known.isEmpty, mayName, let slash = name.firstIndex(of: "/") else { return nil }
        for upstream in reach.upstreams(named: String(name[..<slash])) {
            if let model = try await list(of: upstream).first(where: { $0.id == name }) { return model }
        }
        return nil
    }

    private static func model(_ model: SandboxModel, _ snapshot: CatalogSnapshot) -> Model {
        Model(
            id: model.id, title: snapshot.model(id: model.id)?.title ?? model.id, owner: "hivegate",
            created: 0)
    }

    private static func model(_ model: CatalogModel) -> Model {
        Model(
            id: model.id, title: model.title, owner: model.provider,
            created: Int(model.releasedOn?.seconds ?? 0))
    }

    /// As of a minute ago. While it does not say, the last that it said.
    private func list(of upstream: Upstream) async throws -> [Model] {
        guard let path = upstream.settings.modelsPath else { return [] }
        let known = lists.value(for: ObjectIdentifier(upstream))
        if let known, time.instant() - known.loadedAt < Self.freshness { return known.models }
        var models = known?.models ?? []
        do {
            models = try await load(upstream, path)
        } catch let error as HTTPClientError where error.kind == .cancelled {
            throw error
        } catch {
            logger.warning(
                "a provider does not list its models", ("provider", "\(upstream.name)"),
                ("reason", "\(error)"))
        }
        lists.set(
            Listing(upstream: upstream, models: models, loadedAt: time.instant()),
            for: ObjectIdentifier(upstream))
        return models
    }

    private func load(_ upstream: Upstream, _ path: String) async throws -> [Model] {
        let request = HTTPClientRequest(
            url: upstream.settings.baseURL + path, fields: upstream.settings.authorizationFields(key: nil),
            deadlines: Self.deadlines)
        let body = try await clients.withResponse(request, from: upstream) { response in
            guard response.status == 200 else {
                throw Problem(.badGateway, code: "provider_error", "status \(response.status)")
            }
            return try await response.body(limit: Self.largestList)
        }
        let document = try JSONDocument(parsing: body)
        return (document["data"]?.elements.map { $0 } ?? []).compactMap { value in
            guard let id = value["id"]?.string else { return nil }
            return Model(
                id: "\(upstream.name)/\(id)", title: "\(upstream.name)/\(id)",
                owner: value["owned_by"]?.string ?? upstream.name,
                created: value["created"]?.int.map { Int($0) } ?? 0)
        }
    }

    private static func json(_ models: [Model]) -> [UInt8] {
        var json = JSONWriter(capacity: 200 * models.count + 100)
        json.object { json in
            json.field("object", "list")
            json.array("data", models)
            json.field("has_more", false)
            json.key("first_id")
            if let first = models.first { json.value(first.id) } else { json.null() }
            json.key("last_id")
            if let last = models.last { json.value(last.id) } else { json.null() }
        }
        return json.bytes
    }
}
