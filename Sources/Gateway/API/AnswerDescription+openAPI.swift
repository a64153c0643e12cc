import JSON

extension AnswerDescription {
    /// - Parameter isNamed: whether the answer carries `X-Request-Id`.
    static func writeHeaders(isNamed: Bool, status: Int, to json: inout JSONWriter) {
        let saysWhen = status == 429 || status == 503
        guard isNamed || saysWhen else { return }
        json.object("headers") { json in
            if isNamed {
                json.object("X-Request-Id") { $0.field("$ref", "#/components/headers/RequestId") }
            }
            if saysWhen {
                json.object("Retry-After") { $0.field("$ref", "#/components/headers/RetryAfter") }
            }
        }
    }

    /// The bodies of answers of one status, by their media types.
    static func writeContent(_ answers: [AnswerDescription], to json: inout JSONWriter) {
        guard answers.contains(where: { $0.mediaType != nil }) else { return }
        json.object("content") { json in
            for answer in answers {
                guard let mediaType = answer.mediaType else { continue }
                json.key(dynamic: mediaType)
                json.object { answer.writeMediaType(to: &$0) }
            }
        }
    }

    private func writeMediaType(to json: inout JSONWriter) {
        guard let schema else {
            // What stands under a stream is about each of its events.
            if mediaType != "text/event-stream" { json.object("schema") { $0.field("type", "string") } }
            return json.field("example", ifPresent: example)
        }
        json.field("schema", schema)
        if let example { json.field("example", raw: Array(example.utf8)) }
    }
}
