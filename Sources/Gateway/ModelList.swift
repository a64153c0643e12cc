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
    private let openAI: OpenAIUpstream?
    private let logger: Logger
    private let time: TimeSource
    private var upstreamModels: [Model] = []
    private var loadedAt: Instant?

    init(on loop: EventLoop, client: HTTPClient, openAI: OpenAIUpstream?, logger: Logger, time: TimeSource) {
        self.loop = loop
        self.client = client
        self.openAI = openAI
        self.logger = logger
        self.time = time
    }

    func json() async throws -> [UInt8] {
        let models = SandboxModel.allCases.map { Model(id: $0.id, owner: "hivegate", created: 0) }
        return Self.json(models + (try await upstream()))
    }

    /// Those of the upstream, as of a minute ago. While it does not say, the last that it said.
    private func upstream() async throws -> [Model] {
        guard let openAI else { return [] }
        if let loadedAt, time.instant() - loadedAt < Self.freshness { return upstreamModels }
        do {
            upstreamModels = try await load(openAI)
        } catch let error as HTTPClientError where error.kind == .cancelled {
            throw error
        } catch {
            logger.warning("the upstream does not list its models", ("reason", "\(error)"))
        }
        loadedAt = time.instant()
        return upstreamModels
    }

    private func load(_ openAI: OpenAIUpstream) async throws -> [Model] {
        let request = HTTPClientRequest(
            url: openAI.modelsURL, fields: openAI.fields, deadlines: Self.deadlines)
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
                id: OpenAIUpstream.prefix + id, owner: value["owned_by"]?.string ?? "openai",
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
