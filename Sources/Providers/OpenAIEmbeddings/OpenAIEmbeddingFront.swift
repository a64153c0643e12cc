package import Base
package import Chat
package import JSON

/// How clients ask us for vectors: OpenAI's `/v1/embeddings`.
package struct OpenAIEmbeddingFront: Sendable {
    package init() {}

    /// Throws every fault of the request at once, each with its field.
    package func request(_ document: JSONDocument) throws(Problem) -> EmbeddingRequest {
        guard document.root.kind == .object else {
            throw Problem(.invalidRequest, code: "invalid_request", "The body must be a JSON object.")
        }
        let root = document.root
        var reader = RequestReader()
        let model = reader.requiredText(root["model"], "model")
        var request = EmbeddingRequest(model: model ?? "", inputs: Self.inputs(root["input"], &reader))
        request.encoding = reader.choice(root["encoding_format"], "encoding_format") ?? .float
        request.dimensions = reader.count(root["dimensions"], from: 1, "dimensions")
        request.user = reader.text(root["user"], "user")
        request.kind = Self.kind(root["input_type"], &reader)
        if let problem = reader.problem { throw problem }
        return request
    }

    package func body(_ reply: EmbeddingReply, to request: EmbeddingRequest) -> [UInt8] {
        let numberCount = reply.vectors.reduce(0) { $0 + $1.count }
        var json = JSONWriter(capacity: 256 + numberCount * 13)
        json.object { json in
            json.field("object", "list")
            json.array("data") { json in
                for (index, vector) in reply.vectors.enumerated() {
                    json.object { json in
                        json.field("object", "embedding")
                        json.field("index", index)
                        switch request.encoding {
                        case .float: json.field("embedding", raw: EmbeddingVector.list(vector))
                        case .base64: json.field("embedding", EmbeddingVector.base64(vector))
                        }
                    }
                }
            }
            json.field("model", request.model)
            let tokens = reply.inputTokens ?? request.estimatedTokens
            json.object("usage") { json in
                json.field("prompt_tokens", tokens)
                json.field("total_tokens", tokens)
            }
        }
        return json.bytes
    }

    // MARK: Input

    /// A text, a list of texts, a list of tokens, or a list of such lists.
    private static func inputs(_ value: JSONValue?, _ reader: inout RequestReader) -> [EmbeddingRequest.Input]
    {
        guard let value = value.present else {
            reader.fault("input", "is required")
            return []
        }
        switch value.kind {
        case .string: return text(value, "input", &reader).map { [$0] } ?? []
        case .array:
            guard let first = value.element(0) else {
                reader.fault("input", "must not be empty")
                return []
            }
            if first.kind == .number { return tokens(value, "input", &reader).map { [$0] } ?? [] }
            return list(value, of: first.kind, &reader)
        default:
            reader.fault("input", "must be a string, a list of strings, or tokens")
            return []
        }
    }

    private static func list(_ value: JSONValue, of kind: JSONValue.Kind, _ reader: inout RequestReader)
        -> [EmbeddingRequest.Input]
    {
        var inputs: [EmbeddingRequest.Input] = []
        for (index, element) in value.elements.enumerated() {
            guard index < EmbeddingRequest.largestInputCount else {
                reader.fault("input", "must have no more than \(EmbeddingRequest.largestInputCount) elements")
                return []
            }
            let field = "input[\(index)]"
            switch element.kind {
            case .string where kind == .string:
                if let input = text(element, field, &reader) { inputs.append(input) }
            case .array where kind == .array:
                if let input = tokens(element, field, &reader) { inputs.append(input) }
            default:
                reader.fault(field, kind == .array ? "must be a list of tokens" : "must be a string")
            }
        }
        return inputs
    }

    private static func text(_ value: JSONValue, _ field: String, _ reader: inout RequestReader)
        -> EmbeddingRequest.Input?
    {
        reader.filledText(value, field).map { .text($0) }
    }

    private static func tokens(_ value: JSONValue, _ field: String, _ reader: inout RequestReader)
        -> EmbeddingRequest.Input?
    {
        var tokens: [Int] = []
        for element in value.elements {
            guard let token = element.int, token >= 0 else {
                reader.fault(field, "must have only tokens: whole numbers from 0 on")
                return nil
            }
            tokens.append(token)
        }
        if tokens.isEmpty { reader.fault(field, "must not be empty") }
        return tokens.isEmpty ? nil : .tokens(tokens)
    }

    /// Not OpenAI's own: the name that several providers have for it, in the words of each.
    private static func kind(_ value: JSONValue?, _ reader: inout RequestReader) -> EmbeddingRequest.Kind? {
        switch reader.text(value, "input_type") {
        case nil: return nil
        case "document", "search_document", "passage": return .document
        case "query", "search_query": return .query
        default:
            reader.fault("input_type", "must be \"document\" or \"query\"")
            return nil
        }
    }
}
