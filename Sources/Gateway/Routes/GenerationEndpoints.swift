import HTTPServer
import HTTPWire

/// Vectors and images, which are answered whole.
enum GenerationEndpoints {
    static let all = [embeddings, images]

    private static let failures = [
        AnswerDescription(400, "The request is not as the model wants it."),
        AnswerDescription(402, "There is no money for it. `code` says why, `limit_source` where."),
        AnswerDescription(404, "There is no such model."),
        AnswerDescription(422, "Nobody knows its price, where one is needed."),
        AnswerDescription(502, "The provider failed."),
        AnswerDescription(504, "The provider did not answer in time."),
    ]

    private static let embeddings = Endpoint(
        .post, "/v1/embeddings", "createEmbedding", group: "Embeddings",
        "Turns texts into vectors.", access: .inference,
        body: BodyDescription(
            .openObject([
                Field("model", .string(TextRule(1...Int.max)), "A model of `GET /v1/models`."),
                Field(
                    "input",
                    .anyOf([
                        .string(TextRule(1...Int.max)),
                        .array(of: .string(TextRule(1...Int.max)), 1...2048),
                        .array(of: .integer(0...Int.max), 1...2048),
                        .array(of: .array(of: .integer(0...Int.max), 1...Int.max), 1...2048),
                    ]), "A text, several, or their tokens."),
                .optional(
                    "encoding_format", .choice(["float", "base64"]), isNullable: true,
                    "How the numbers are written: in decimals, or as base64 of their 32 bits, little-endian."),
                .optional(
                    "dimensions", .integer(1...Int.max), isNullable: true, "How long the vectors are."),
            ]).named("EmbeddingRequest"),
            example: #"{"model":"sandbox/embed","input":"Hello there.","dimensions":2}"#),
        answers: [
            AnswerDescription(
                200, "A vector for each input, in their order.",
                .openObject([
                    Field("object", .choice(["list"]), "Always `list`."),
                    Field("data", .array(of: .openObject([]), 0...Int.max), "The vectors."),
                    Field("model", .freeText, "The model that answered."),
                    Field("usage", .openObject([]), "The tokens that it took."),
                ]),
                example: """
                    {"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.6,0.8]}],\
                    "model":"sandbox/embed","usage":{"prompt_tokens":3,"total_tokens":3}}
                    """)
        ] + failures,
        direct: { gateway in { exchange in try await gateway(exchange.loop).embeddings(exchange) } })

    private static let images = Endpoint(
        .post, "/v1/images/generations", "createImage", group: "Images", "Draws images.", access: .inference,
        body: BodyDescription(
            .openObject([
                Field("model", .string(TextRule(1...Int.max)), "A model of `GET /v1/models`."),
                Field("prompt", .string(TextRule(1...Int.max)), "What to draw."),
                .optional("n", .integer(1...10), isNullable: true, "How many images."),
            ]).named("ImageRequest"),
            example: #"{"model":"sandbox/image","prompt":"A lighthouse at dusk."}"#),
        answers: [
            AnswerDescription(
                200, "The images.",
                .openObject([
                    Field("created", .integer(0...Int.max), "In seconds since 1970."),
                    Field("data", .array(of: .openObject([]), 0...Int.max), "The images."),
                ]),
                example: #"{"created":1795246176,"data":[{"b64_json":"iVBORw0KGgo="}],"output_format":"png"}"#
            )
        ] + failures,
        direct: { gateway in { exchange in try await gateway(exchange.loop).images(exchange) } })
}
