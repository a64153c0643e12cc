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
            if !parameters.isEmpty || !query.isEmpty { writeParameters(to: &json) }
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
                }
            }
        }
    }

    // MARK: Answers

    private func writeResponses(to json: inout JSONWriter) {
        let all = answers + commonErrors
        json.object("responses") { json in
            for status in Set(all.map(\.status)).sorted() {
                let alike = all.filter { $0.status == status }
                json.key(dynamic: String(status))
                json.object { json in
                    json.field("description", alike.map(\.description).joined(separator: " "))
                    Self.writeHeaders(status, to: &json)
                    Self.writeContent(alike.filter { $0.mediaType != nil }, to: &json)
                }
            }
            json.object("default") { json in
                json.field("description", "Any other error.")
                Self.writeContent([Self.anyOther], to: &json)
            }
        }
    }

    private static let anyOther = AnswerDescription(500, "Any other error.", .refusal)

    private static func writeHeaders(_ status: Int, to json: inout JSONWriter) {
        json.object("headers") { json in
            json.object("X-Request-Id") { $0.field("$ref", "#/components/headers/RequestId") }
            if status == 429 || status == 503 {
                json.object("Retry-After") { $0.field("$ref", "#/components/headers/RetryAfter") }
            }
        }
    }

    private static func writeContent(_ answers: [AnswerDescription], to json: inout JSONWriter) {
        if answers.isEmpty { return }
        json.object("content") { json in
            for answer in answers {
                guard let mediaType = answer.mediaType else { continue }
                json.key(dynamic: mediaType)
                json.object { json in
                    json.field("schema", answer.schema ?? .string(0...Int(Int32.max)))
                    guard let example = answer.example else { return }
                    if answer.schema == nil {
                        json.field("example", example)
                    } else {
                        json.field("example", raw: Array(example.utf8))
                    }
                }
            }
        }
    }

    /// What any endpoint of this access, with such parameters and such a body, can answer beside its own.
    private var commonErrors: [AnswerDescription] {
        var errors: [AnswerDescription] = []
        func add(_ status: Int, _ description: String) {
            if answers.contains(where: { $0.status == status }) { return }
            errors.append(AnswerDescription(status, description))
        }
        if access != .open {
            add(401, "No valid credential was sent.")
            add(403, "The credential is valid and does not allow this.")
        }
        if !parameters.isEmpty { add(404, "There is no such object, or it is another organization's.") }
        if isChecked {
            add(400, "What was sent is malformed: the query, or the body's JSON.")
            add(422, "What was sent is not as described. Every fault is in `errors`.")
        }
        if body != nil {
            add(413, "The body is too large.")
            add(415, "The body is no JSON, or is compressed.")
        }
        if isChecked || access != .open {
            add(429, "Too many requests. Come back after `Retry-After`.")
            add(503, "The gateway cannot do this at the moment. Come back after `Retry-After`.")
        }
        return errors
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
