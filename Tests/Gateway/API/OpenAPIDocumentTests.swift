import Base
import Gateway
import HTTPServer
import HTTPWire
import JSON
import Testing

struct OpenAPIDocumentTests {
    private static let methods: Set = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]

    private let endpoints = RouteTable.endpoints

    private func document() throws -> JSONValue {
        try JSONDocument(parsing: RouteTable.document.bytes).root
    }

    /// All values in `value`, itself among them.
    private func walk(_ value: JSONValue, _ visit: (JSONValue) throws -> Void) rethrows {
        try visit(value)
        for member in value.members { try walk(member.value, visit) }
        for element in value.elements { try walk(element, visit) }
    }

    @Test func `every example is what its schema says`() throws {
        for endpoint in endpoints {
            if let body = endpoint.body {
                let example = try JSONDocument(parsing: Array(body.example.utf8)).root
                #expect(body.schema.faults(of: example) == [], "the body of \(endpoint.name)")
            }
            for parameter in endpoint.parameters {
                #expect(parameter.schema.takes(parameter.example), "\(parameter.name) of \(endpoint.name)")
            }
            for parameter in endpoint.query {
                if let value = parameter.field.default {
                    #expect(parameter.schema.takes(value), "\(parameter.name) of \(endpoint.name)")
                }
            }
            for answer in endpoint.answers {
                guard let schema = answer.schema, let text = answer.example else { continue }
                let example = try JSONDocument(parsing: Array(text.utf8)).root
                #expect(schema.faults(of: example) == [], "\(answer.status) of \(endpoint.name)")
            }
        }
    }

    @Test func `every default is what its schema says`() throws {
        for endpoint in endpoints {
            try walk(JSONDocument(parsing: OpenAPIDocument([endpoint]).bytes).root) { value in
                guard let fallback = value["default"], let type = value["type"]?.string else { return }
                let kind = fallback.kind == .bool ? "boolean" : fallback.kind.rawValue
                #expect(kind == type || (kind == "number" && type == "integer"), "\(endpoint.name)")
            }
        }
    }

    @Test func `every object that is checked names its example, and every answer with a body its schema`() {
        for endpoint in endpoints where endpoint.isChecked {
            #expect(!endpoint.answers.isEmpty, "\(endpoint.name)")
            for answer in endpoint.answers where answer.mediaType == "application/json" {
                #expect(answer.schema != nil, "\(answer.status) of \(endpoint.name)")
            }
            if let body = endpoint.body { #expect(body.schema.isClosedObject, "\(endpoint.name)") }
        }
    }

    @Test func `every reference leads somewhere, and every component is reached`() throws {
        let document = try document()
        var found: Set<String> = []
        try walk(document) { value in
            guard let reference = value["$ref"]?.string else { return }
            let path = reference.split(separator: "/").map(String.init)
            try #require(path.first == "#")
            var target: JSONValue? = document
            for step in path.dropFirst() { target = target?.member(step) }
            #expect(target != nil, "\(reference)")
            found.insert(reference)
        }
        #expect(found.contains("#/components/schemas/Error"))
        for (group, members) in try #require(document["components"]).members.map({ ($0.key.string, $0.value) }
        )
        where ["schemas", "responses", "headers"].contains(group) {
            for member in members.members {
                let name = "#/components/\(group)/\(member.key.string)"
                // Written always, so that it is there as soon as somebody needs it.
                if group != "responses", member.key.string != "Anything" {
                    #expect(found.contains(name), "nothing refers to \(name)")
                }
            }
        }
    }

    @Test func `every operation has a name of its own, its access, and all parameters of its path`() throws {
        var names: Set<String> = []
        for path in try #require(document()["paths"]).members {
            let wanted = Set(
                path.key.string.split(separator: "/").filter { $0.hasPrefix("{") }.map {
                    String($0.dropFirst().dropLast())
                })
            for method in path.value.members {
                #expect(Self.methods.contains(method.key.string))
                let operation = method.value
                let name = try #require(operation["operationId"]?.string)
                #expect(names.insert(name).inserted, "\(name) is there twice")
                let parameters = operation["parameters"].map { Array($0.elements) } ?? []
                let inPath = parameters.filter { $0["in"]?.string == "path" }.compactMap {
                    $0["name"]?.string
                }
                #expect(Set(inPath) == wanted && inPath.count == wanted.count, "\(name)")
                #expect(operation["summary"]?.string?.isEmpty == false, "\(name)")
                let endpoint = try #require(endpoints.first { $0.name == name })
                #expect(operation["x-hivegate-access"]?.string == endpoint.access.description)
                #expect((operation["security"]?.count == 0) == (endpoint.access == .open), "\(name)")
                #expect(operation["responses"]?["default"] != nil, "\(name)")
            }
        }
        #expect(names.count == endpoints.count)
    }

    @Test func `the routes are those of the endpoints`() {
        let routes = RouteTable.routes { _ in preconditionFailure("no handler runs") }
        #expect(routes.prefix(endpoints.count).map(\.name) == endpoints.map(\.name))
        // Behind them are other addresses of some.
        for alias in routes.dropFirst(endpoints.count) {
            let same = routes.first { ["\($0.name)Alias", "\($0.name)OtherWay"].contains(alias.name) }
            #expect(same?.method == alias.method && same?.metadata.access == alias.metadata.access)
            if alias.name.hasSuffix("Alias") {
                #expect(alias.pattern == same?.pattern.replacing("/api/v1/", with: "/api/"))
            }
        }
        for (route, endpoint) in zip(routes, endpoints) {
            #expect(route.pattern == endpoint.path && route.method == endpoint.method)
            #expect(route.metadata.access == endpoint.access.description)
            #expect(route.bodyLimit == endpoint.bodyLimit)
        }
    }

    /// One name for two schemas would show callers one of them in the place of the other.
    @Test func `a component's name stands for one schema`() {
        #expect(OpenAPIDocument.conflicts(endpoints) == [])
        let schemas = [Schema.string(0...1), .string(0...2)].map { $0.named("Same") }
        let conflicting = schemas.enumerated().map { index, schema in
            Endpoint(
                .get, "/a\(index)", "a\(index)", group: "A", "A.", access: .open,
                answers: [AnswerDescription(200, "A.", schema)]
            ) { _, _ in .empty() }
        }
        #expect(OpenAPIDocument.conflicts(conflicting) == ["Same"])
    }

    @Test func `the document is sent whole once, and then only its name`() async throws {
        try await GatewayWorld.run { world in
            let whole = try await world.send("GET", "/openapi.json")
            #expect(whole.status == 200 && whole["content-type"] == "application/json")
            #expect(whole.body == RouteTable.document.bytes && whole["cache-control"] == "no-cache")
            let tag = try #require(whole["etag"])
            let known = try await world.send("GET", "/openapi.json", [("If-None-Match", "W/\(tag)")])
            #expect(known.status == 304 && known.body.isEmpty && known["etag"] == tag)
            let other = try await world.send("GET", "/openapi.json", [("If-None-Match", #""x""#)])
            #expect(other.status == 200)
        }
    }
}
