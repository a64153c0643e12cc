import Base
import Catalog
import HTTPClient
import JSON
import Loop
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

    private let loop: EventLoop
    private let client: HTTPClient
    private let upstreams: [Upstream]
    private let catalog: SharedCatalog
    private let logger: Logger
    private let time: TimeSource
    private var lists: [String: (models: [Model], loadedAt: Instant)] = [:]

    init(
        on loop: EventLoop, client: HTTPClient, upstreams: [Upstream], catalog: SharedCatalog, logger: Logger,
        time: TimeSource
    ) {
        self.loop = loop
        self.client = client
        self.upstreams = upstreams
        self.catalog = catalog
        self.logger = logger
        self.time = time
    }

    func json() async throws -> [UInt8] {
        let snapshot = catalog.snapshot
        let now = time.timestamp()
        var models = SandboxModel.allCases.map { Self.model($0, snapshot) }
        let providers = Set(upstreams.map(\.name))
        models += snapshot.models.filter { providers.contains($0.provider) && !$0.isShutDown(at: now) }
            .map(Self.model)
        for upstream in upstreams {
            // A provider lists what it shut down, or lists it under a name that the catalogue has another for.
            models += try await list(of: upstream).filter { snapshot.models(named: $0.id).isEmpty }
        }
        return Self.json(models)
    }

    /// The model of this id, or the first that goes by this name and can be asked for here; nil where there is none.
    func json(named name: String) async throws -> [UInt8]? {
        guard let model = try await model(named: name) else { return nil }
        var json = JSONWriter(capacity: 256)
        json.value(model)
        return json.bytes
    }

    private func model(named name: String) async throws -> Model? {
        let snapshot = catalog.snapshot
        if let model = SandboxModel(id: name) { return Self.model(model, snapshot) }
        let now = time.timestamp()
        let providers = Set(upstreams.map(\.name)).union([SandboxModel.provider])
        let known = snapshot.models(named: name).first {
            providers.contains($0.provider) && !$0.isShutDown(at: now)
        }
        if let known { return Self.model(known) }
        guard let slash = name.firstIndex(of: "/"),
            let upstream = upstreams.first(where: { $0.name == name[..<slash] })
        else { return nil }
        return try await list(of: upstream).first { $0.id == name && snapshot.models(named: name).isEmpty }
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
        let known = lists[upstream.name]
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
        lists[upstream.name] = (models, time.instant())
        return models
    }

    private func load(_ upstream: Upstream, _ path: String) async throws -> [Model] {
        let request = HTTPClientRequest(
            url: upstream.settings.baseURL + path, fields: upstream.settings.authorizationFields(key: nil),
            deadlines: Self.deadlines)
        let body = try await client.withResponse(request) { response in
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
