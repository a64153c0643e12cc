import Billing
package import JSON

extension Endpoint: JSONWritable {
    /// Everything that it takes and gives.
    var schemas: [Schema] {
        parameters.map(\.schema) + query.map(\.schema) + [body?.schema].compactMap { $0 }
            + answers.compactMap(\.schema) + [.error, .refusal]
    }

    /// As an operation of OpenAPI.
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("operationId", name)
            json.array("tags", [group])
            json.field("summary", summary)
            json.field("description", ifPresent: description)
            json.array("security", access.requirements)
            json.field("x-hivegate-access", access.description)
            if endsSession { json.field("x-hivegate-ends-session", true) }
            if !isChecked { json.field("x-hivegate-checked", false) }
            if !parameters.isEmpty || !query.isEmpty || takesIdempotencyKey { writeParameters(to: &json) }
            if let body { body.write(to: &json) }
            writeResponses(to: &json)
        }
    }

    private func writeParameters(to json: inout JSONWriter) {
        json.array("parameters") { json in
            for parameter in parameters {
                json.object { json in
                    json.field("name", parameter.name)
                    json.field("in", "path")
                    json.field("required", true)
                    json.field("description", parameter.description)
                    json.field("schema", parameter.schema)
                    json.field("example", parameter.example)
                    if case .object(let kind) = parameter.kind {
                        json.field("x-hivegate-object", kind.rawValue)
                    }
                }
            }
            for parameter in query {
                json.object { json in
                    json.field("name", parameter.name)
                    json.field("in", "query")
                    json.field("required", parameter.field.isRequired)
                    json.field("description", parameter.field.description)
                    json.object("schema") { parameter.field.writeSchemaMembers(to: &$0) }
                    guard let example = parameter.example else { return }
                    if let scalar = parameter.schema.scalar(example) {
                        json.field("example", raw: scalar)
                    } else {
                        json.field("example", example)
                    }
                }
            }
            if takesIdempotencyKey { Self.writeIdempotencyKey(to: &json) }
        }
    }

    private static func writeIdempotencyKey(to json: inout JSONWriter) {
        json.object { json in
            json.field("name", "Idempotency-Key")
            json.field("in", "header")
            json.field("required", false)
            json.field(
                "description",
                "A name for this request, new for each. Sent again with the same body within 24 hours it is answered as "
                    + "before, with `Idempotent-Replayed: true`, and nothing is done again.")
            json.object("schema") { json in
                json.field("type", "string")
                json.field("minLength", 1)
                json.field("maxLength", IdempotencyStore.longestKey)
                json.field("pattern", "^[!-~]+$")
            }
        }
    }

    // MARK: Answers

    private func writeResponses(to json: inout JSONWriter) {
        let errors = commonErrors.filter { error in !answers.contains { $0.status == error.status } }
        json.object("responses") { json in
            for status in Set(answers.map(\.status)).sorted() {
                json.key(dynamic: String(status))
                json.object { json in
                    let alike = answers.filter { $0.status == status }
                    json.field("description", alike.map(\.description).joined(separator: " "))
                    AnswerDescription.writeHeaders(isNamed: namesRequests, status: status, to: &json)
                    AnswerDescription.writeContent(alike, to: &json)
                }
            }
            for error in errors {
                json.key(dynamic: String(error.status))
                json.object { $0.field("$ref", "#/components/responses/\(error.rawValue)") }
            }
            json.object("default") {
                $0.field("$ref", "#/components/responses/\(CommonError.other.rawValue)")
            }
        }
    }

    /// Whether its answers carry `X-Request-Id`.
    private var namesRequests: Bool { isChecked || access != .open }

    /// What any endpoint of this access, with such parameters and such a body, can answer beside its own.
    private var commonErrors: [CommonError] {
        (isChecked ? [.malformed] : [])
            + (access == .open ? [] : [.unauthenticated, .forbidden])
            + (parameters.isEmpty ? [] : [.notFound])
            + (body == nil ? [] : [.tooLarge, .unsupportedMediaType])
            + (isChecked ? [.unprocessable] : [])
            + (namesRequests ? [.rateLimited, .unavailable] : [])
    }
}

extension Access {
    /// The security requirements, of which one is enough.
    fileprivate var requirements: [Requirement] {
        (takesKeys ? [Requirement(scheme: "bearerKey")] : [])
            + (takesSessions
                ? [Requirement(scheme: "bearerSession"), Requirement(scheme: "cookieSession")] : [])
    }

    fileprivate struct Requirement: JSONWritable {
        let scheme: String

        func write(to json: inout JSONWriter) {
            json.object { json in
                json.key(dynamic: scheme)
                json.array { _ in }
            }
        }
    }
}

extension BodyDescription {
    fileprivate func write(to json: inout JSONWriter) {
        json.object("requestBody") { json in
            json.field("required", isRequired)
            json.object("content") { json in
                json.object("application/json") { json in
                    json.field("schema", schema)
                    json.field("example", raw: Array(example.utf8))
                }
            }
        }
    }
}
