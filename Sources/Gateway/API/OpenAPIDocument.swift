import Base
import HTTPWire
import JSON

/// The description of the API for machines (OpenAPI 3.1), written from the endpoints alone.
package struct OpenAPIDocument: Sendable {
    package let bytes: [UInt8]
    /// With its quotes.
    package let entityTag: String

    /// Raised when a client of the API would notice.
    private static let version = "1.0.0"

    package init(_ endpoints: [Endpoint]) {
        var json = JSONWriter(capacity: 256 * 1024)
        json.object { json in
            json.field("openapi", "3.1.0")
            Self.writeInformation(to: &json)
            json.array("servers") { json in json.object { $0.field("url", "/") } }
            json.array("tags") { json in
                for group in Self.groups(endpoints) { json.object { $0.field("name", group) } }
            }
            Self.writePaths(endpoints, to: &json)
            json.object("components") { json in
                Self.writeSecuritySchemes(to: &json)
                Self.writeHeaders(to: &json)
                CommonError.writeAll(to: &json)
                Self.writeSchemas(endpoints, to: &json)
            }
        }
        bytes = json.bytes
        entityTag = "\"\(String(hex: Digest.sha256(bytes).prefix(16)))\""
    }

    /// Names that stand for several schemas, of which the document would show one.
    package static func conflicts(_ endpoints: [Endpoint]) -> Set<String> {
        SchemaComponents(endpoints).conflicts
    }

    private static func writeInformation(to json: inout JSONWriter) {
        json.object("info") { json in
            json.field("title", "Hivegate")
            json.field("version", version)
            json.field(
                "description",
                "A gateway between teams and language models. Errors have one "
                    + "shape, that of OpenAI's API, and name every field that is wrong. On management addresses "
                    + "unknown fields and unknown query parameters are errors.")
            json.object("license") { json in
                json.field("name", "Apache-2.0")
                json.field("identifier", "Apache-2.0")
            }
        }
    }

    private static func groups(_ endpoints: [Endpoint]) -> [String] {
        endpoints.reduce(into: []) { groups, endpoint in
            if !groups.contains(endpoint.group) { groups.append(endpoint.group) }
        }
    }

    private static func writePaths(_ endpoints: [Endpoint], to json: inout JSONWriter) {
        var paths: [String] = []
        for endpoint in endpoints where !paths.contains(endpoint.documentedPath) {
            paths.append(endpoint.documentedPath)
        }
        json.object("paths") { json in
            for path in paths {
                json.key(dynamic: path)
                json.object { json in
                    for endpoint in endpoints where endpoint.documentedPath == path {
                        json.key(dynamic: endpoint.method.description.lowercased())
                        endpoint.write(to: &json)
                    }
                }
            }
        }
    }

    private static func writeSecuritySchemes(to json: inout JSONWriter) {
        json.object("securitySchemes") { json in
            json.object("bearerKey") { json in
                json.field("type", "http")
                json.field("scheme", "bearer")
                json.field("bearerFormat", "hg_live_…")
                json.field(
                    "description",
                    "An API key. `X-Api-Key`, `Api-Key` and `X-Goog-Api-Key` are read too, as clients send it there."
                )
            }
            json.object("bearerSession") { json in
                json.field("type", "http")
                json.field("scheme", "bearer")
                json.field("bearerFormat", "JWT")
                json.field("description", "The access token of somebody who has signed in.")
            }
            json.object("cookieSession") { json in
                json.field("type", "apiKey")
                json.field("in", "cookie")
                json.field("name", "__Host-hivegate")
                json.field("description", "The cookie of a browser in which somebody has signed in.")
            }
        }
    }

    private static func writeHeaders(to json: inout JSONWriter) {
        json.object("headers") { json in
            json.object("RequestId") { json in
                json.field("description", "The request's name in the log.")
                json.field("schema", Schema.string(1...100))
            }
            json.object("RetryAfter") { json in
                json.field("description", "In how many seconds it is worth another try.")
                json.field("schema", Schema.integer(0...32 * 86_400))
            }
        }
    }

    private static func writeSchemas(_ endpoints: [Endpoint], to json: inout JSONWriter) {
        let schemas = SchemaComponents(endpoints).schemas
        json.object("schemas") { json in
            json.key(dynamic: Schema.anything)
            Schema.writeAnything(to: &json)
            for (name, schema) in schemas.sorted(by: { $0.key < $1.key }) {
                json.key(dynamic: name)
                schema.writeDefinition(to: &json)
            }
        }
    }
}
