import Base
import HTTPServer
import HTTPWire
import JSON

extension Endpoint {
    /// What was sent, checked. All that is wrong with the query and the body is said at once.
    func input(of exchange: Exchange) async throws -> (query: Fields, fields: Fields) {
        let (parsedQuery, repeated) = try queryObject(of: exchange.request)
        let object = try await bodyObject(of: exchange)
        let queryFields = query.map(\.field)
        var faults = repeated
        faults += Schema.object(queryFields).faults(of: parsedQuery)
        if let body, object != nil || body.isRequired {
            guard let object else { throw Problem.noBody }
            faults += body.schema.faults(of: object)
        }
        if !faults.isEmpty { throw Problem(faults: faults) }
        return (Fields(parsedQuery, queryFields), Fields(object, body?.schema.fields ?? []))
    }

    // MARK: The body

    /// The object in the body; `nil` where there is none.
    private func bodyObject(of exchange: Exchange) async throws -> JSONValue? {
        let request = exchange.request
        guard request.framing != .none else { return nil }
        // One that declares no length may still turn out to be empty.
        let bytes = try await exchange.body()
        if bytes.isEmpty { return nil }
        guard body != nil else { throw Problem.unwantedBody }
        guard Self.isJSON(request.fields["content-type"]) else {
            throw Problem(
                .unsupportedMediaType, code: "unsupported_media_type",
                "The body must be JSON. Send it with \"Content-Type: application/json\".")
        }
        let root = try Gateway.document(bytes).root
        guard root.kind == .object else {
            throw Problem(faults: [Problem.Fault("", "the body must be a JSON object")])
        }
        return root
    }

    private static let json = Array("application/json".utf8)

    /// Whatever parameters it has: JSON is UTF-8.
    private static func isJSON(_ value: ArraySlice<UInt8>?) -> Bool {
        guard let value else { return false }
        var type = value.prefix { $0 != 0x3B }
        while type.last == 0x20 || type.last == 0x09 { type.removeLast() }
        return type.count == json.count
            && zip(type, json).allSatisfy { $0 == $1 || ($0 >= 0x41 && $0 | 0x20 == $1) }
    }

    // MARK: The query

    /// The query as an object, so that it is checked as a body is, and the parameters that come more than once.
    private func queryObject(of request: RequestHead) throws(Problem) -> (JSONValue, [Problem.Fault]) {
        let items: QueryItems
        do throws(QueryItems.Fault) {
            items = try request.queryItems()
        } catch {
            throw Problem(
                .invalidRequest, code: "invalid_query",
                error == .tooMany
                    ? "The query has more than \(QueryItems.limit) parameters."
                    : "The query is not valid: a % that encodes nothing, or no UTF-8.")
        }
        var faults: [Problem.Fault] = []
        var seen: Set<String> = []
        var json = JSONWriter()
        json.object { json in
            for item in items.items {
                let schema = query.first { $0.name == item.name }?.schema
                if ignoresUnknownQuery, schema == nil { continue }
                guard seen.insert(item.name).inserted else {
                    faults.append(Problem.Fault(item.name, "is given more than once"))
                    continue
                }
                json.key(dynamic: item.name)
                if let value = schema?.scalar(item.value) {
                    json.raw(value)
                } else {
                    json.value(item.value)
                }
            }
        }
        return (try Gateway.document(json.bytes).root, faults)
    }
}

extension Schema {
    /// The text as JSON, where a number or a truth value is wanted and it is one.
    func scalar(_ text: String) -> [UInt8]? {
        guard jsonKind == .number || jsonKind == .bool else { return nil }
        let bytes = Array(text.utf8)
        guard let value = try? JSONDocument(parsing: bytes).root, value.kind == jsonKind,
            value.range == bytes.indices
        else { return nil }
        return bytes
    }
}

extension Problem {
    fileprivate static let noBody = Problem(
        .unprocessable, code: "missing_body",
        "A JSON object is needed as the body. Send it with \"Content-Type: application/json\".")
    fileprivate static let unwantedBody = Problem(
        .unprocessable, code: "unexpected_body", "No body is taken here. Send the request without one.")
}
