import Base
import HTTPClient
import JSON
import Loop
import Providers

/// The models that a client may name, in the shape that the SDKs of OpenAI and Anthropic both read.
// Confined to its loop.
final class ModelList: @unchecked Sendable {
    private static let freshness = Duration.seconds(60)
    private static let largestList = 4 * 1024 * 1024
    private static let deadlines = HTTPClientRequest.Deadlines(
        connect: .seconds(2), firstByte: .seconds(5), betweenBytes: .seconds(5), total: .seconds(10))

    private struct Model {
        let id: String
        let owner: String
        let created: Int
    }

    private let loop: EventLoop
    private let client: HTTPClient
    private let upstreams: [Upstream]
    private let logger: Logger
    private let time: TimeSource
    private var lists: [String: (models: [Model], loadedAt: Instant)] = [:]

    init(on loop: EventLoop, client: HTTPClient, upstreams: [Upstream], logger: Logger, time: TimeSource) {
        self.loop = loop
        self.client = client
        self.upstreams = upstreams
        self.logger = logger
        self.time = time
    }

    func json() async throws -> [UInt8] {
        var models = SandboxModel.allCases.map { Model(id: $0.id, owner: "hivegate", created: 0) }
        for upstream in upstreams { models += try await list(of: upstream) }
        return Self.json(models)
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
                id: "\(upstream.name)/\(id)", owner: value["owned_by"]?.string ?? upstream.name,
                created: value["created"]?.int.map { Int($0) } ?? 0)
        }
    }

    private static func json(_ models: [Model]) -> [UInt8] {
        var json = JSONWriter(capacity: 200 * models.count + 100)
        json.object { json in
            json.field("object", "list")
            json.array("data") { json in
                for model in models {
                    json.object { json in
                        json.field("id", model.id)
                        json.field("object", "model")
                        json.field("created", model.created)
                        json.field("owned_by", model.owner)
                        json.field("type", "model")
                        json.field("display_name", model.id)
                        json.field("created_at", Timestamp(seconds: Int64(model.created)).description)
                    }
                }
            }
            json.field("has_more", false)
            json.key("first_id")
            if let first = models.first { json.value(first.id) } else { json.null() }
            json.key("last_id")
            if let last = models.last { json.value(last.id) } else { json.null() }
        }
        return json.bytes
    }
}
