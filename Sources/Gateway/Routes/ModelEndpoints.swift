import HTTPServer
import HTTPWire
import Providers

/// What clients of the models call. They check their requests themselves, in their dialect.
enum ModelEndpoints {
    static let all =
        [chatCompletions, responses, messages, countTokens, models, listedModel] + GenerationEndpoints.all

    private static let chatCompletions = Endpoint(
        .post, "/v1/chat/completions", "createChatCompletion", group: "Chat",
        "Answers a conversation, whole or as a stream.",
        description:
            "OpenAI's chat completions. Fields that are not named here go to the provider as they are. "
            + fetchedImages,
        access: .inference,
        body: BodyDescription(
            request,
            example:
                #"{"model":"sandbox/echo","messages":[{"role":"user","content":"Hello there."}],"stream":false}"#
        ),
        answers: [
            AnswerDescription(
                200, "The answer.", completion,
                example: """
                    {"id":"chatcmpl-req_1","object":"chat.completion","created":1795246176,"model":"sandbox/echo",\
                    "choices":[{"index":0,"message":{"role":"assistant","content":"Hello there."},\
                    "finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":3,"total_tokens":6}}
                    """),
            AnswerDescription(
                200, "As a stream, where `stream` is true.",
                example: "data: {\"object\":\"chat.completion.chunk\"}\n\ndata: [DONE]\n\n",
                mediaType: "text/event-stream"),
            AnswerDescription(400, "The request is not as the model wants it."),
            AnswerDescription(402, "There is no money for it. `code` says why, `limit_source` where."),
            AnswerDescription(404, "There is no such model."),
            AnswerDescription(422, "Nobody knows its price, where one is needed."),
            AnswerDescription(502, "The provider failed."),
            AnswerDescription(504, "The provider did not answer in time."),
        ],
        beginning: { gateway in
            { exchange in gateway(exchange.loop).begin(exchange, as: OpenAIChatFront()) }
        },
        direct: { gateway in { exchange in try await gateway(exchange.loop).chatCompletions(exchange) } })

    private static let responses = Endpoint(
        .post, "/v1/responses", "createResponse", group: "Chat",
        "Answers a conversation, whole or as a stream, as OpenAI's Responses API does.",
        description:
            "With any chat model. Fields that are not named here go to the provider as they are where it speaks this "
            + "dialect. Elsewhere nothing is kept between requests, and each says the whole conversation in `input`. "
            + "`background` cannot be true. " + fetchedImages,
        access: .inference,
        body: BodyDescription(
            .openObject([
                Field("model", .string(TextRule(1...Int.max)), "A model of `GET /v1/models`."),
                Field(
                    "input", .anyOf([.freeText, .array(of: .openObject([]), 0...Int.max)]),
                    "A text, or the items of the conversation."),
                .optional(
                    "stream", .boolean, isNullable: true, "Whether the answer comes as a stream of events."),
            ]).named("ResponseRequest"),
            example: #"{"model":"sandbox/echo","input":"Hello there."}"#),
        answers: [
            AnswerDescription(
                200, "The answer.",
                .openObject([
                    Field("id", .freeText, "The response."),
                    Field("object", .choice(["response"]), "Always `response`."),
                    Field("status", .choice(["completed", "incomplete", "failed"]), "How it ended."),
                    Field("model", .freeText, "The model that answered."),
                    Field("output", .array(of: .openObject([]), 0...Int.max), "What was answered."),
                ]).named("Response"),
                example: """
                    {"id":"resp_req_1","object":"response","status":"completed","model":"sandbox/echo",\
                    "output":[{"type":"message","role":"assistant","content":[{"type":"output_text",\
                    "text":"Hello there."}]}]}
                    """),
            AnswerDescription(
                200, "As a stream, where `stream` is true.",
                example: "event: response.completed\ndata: {\"type\":\"response.completed\"}\n\n",
                mediaType: "text/event-stream"),
            AnswerDescription(400, "The request is not as the model wants it."),
            AnswerDescription(402, "There is no money for it. `code` says why, `limit_source` where."),
            AnswerDescription(404, "There is no such model."),
            AnswerDescription(422, "Nobody knows its price, where one is needed."),
            AnswerDescription(502, "The provider failed."),
            AnswerDescription(504, "The provider did not answer in time."),
        ],
        beginning: { gateway in
            { exchange in gateway(exchange.loop).begin(exchange, as: OpenAIResponsesFront())
            }
        },
        direct: { gateway in { exchange in try await gateway(exchange.loop).responses(exchange) } })

    private static let messages = Endpoint(
        .post, "/v1/messages", "createMessage", group: "Chat",
        "Answers a conversation, whole or as a stream, as Anthropic does.",
        description:
            "Anthropic's messages, with any chat model. Fields that are not named here go to the provider as they are "
            + "where it speaks this dialect. " + fetchedImages,
        access: .inference,
        body: BodyDescription(
            messageRequest(withLimit: true),
            example:
                #"{"model":"sandbox/echo","max_tokens":100,"messages":[{"role":"user","content":"Hello there."}]}"#
        ),
        answers: [
            AnswerDescription(
                200, "The answer.", message,
                example: """
                    {"id":"msg_req_1","type":"message","role":"assistant","model":"sandbox/echo",\
                    "content":[{"type":"text","text":"Hello there."}],"stop_reason":"end_turn",\
                    "stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":3}}
                    """),
            AnswerDescription(
                200, "As a stream, where `stream` is true.",
                example: "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
                mediaType: "text/event-stream"),
            AnswerDescription(400, "The request is not as the model wants it."),
            AnswerDescription(402, "There is no money for it. `code` says why, `limit_source` where."),
            AnswerDescription(404, "There is no such model."),
            AnswerDescription(422, "Nobody knows its price, where one is needed."),
            AnswerDescription(502, "The provider failed."),
            AnswerDescription(504, "The provider did not answer in time."),
        ],
        beginning: { gateway in
            { exchange in gateway(exchange.loop).begin(exchange, as: AnthropicFront()) }
        },
        direct: { gateway in { exchange in try await gateway(exchange.loop).messages(exchange) } })

    private static let countTokens = Endpoint(
        .post, "/v1/messages/count_tokens", "countMessageTokens", group: "Chat",
        "Says how many tokens a conversation has.",
        description:
            "As the provider counts them; where it does not say, as estimated, and then the answer has the field "
            + "`X-Hivegate-Estimated: true`.",
        access: .inference,
        body: BodyDescription(
            messageRequest(withLimit: false),
            example: #"{"model":"sandbox/echo","messages":[{"role":"user","content":"Hello there."}]}"#),
        answers: [
            AnswerDescription(
                200, "The count.",
                .openObject([Field("input_tokens", .integer(0...Int.max), "The tokens.")]),
                example: #"{"input_tokens":10}"#),
            AnswerDescription(400, "The request is not as the model wants it."),
            AnswerDescription(402, "There is no money for it. `code` says why, `limit_source` where."),
            AnswerDescription(404, "There is no such model."),
            AnswerDescription(422, "Nobody knows its price, where one is needed."),
            AnswerDescription(502, "The provider failed."),
            AnswerDescription(504, "The provider did not answer in time."),
        ],
        direct: { gateway in { exchange in try await gateway(exchange.loop).countTokens(exchange) } })

    private static let models = Endpoint(
        .get, "/v1/models", "listModels", group: "Models", "Lists the models that can be named.",
        access: .inference,
        answers: [
            AnswerDescription(
                200, "The models, in a shape that the clients of OpenAI and of Anthropic both read.",
                .openObject([
                    Field("object", .choice(["list"]), "Always `list`."),
                    Field("data", .array(of: model, 0...Int.max), "The models."),
                ]),
                example: """
                    {"object":"list","data":[{"id":"sandbox/echo","object":"model","created":0,\
                    "owned_by":"hivegate","type":"model","display_name":"sandbox/echo",\
                    "created_at":"1970-01-01T00:00:00.000Z"}],"has_more":false,\
                    "first_id":"sandbox/echo","last_id":"sandbox/echo"}
                    """)
        ],
        direct: { gateway in { exchange in try await gateway(exchange.loop).listModels(exchange) } })

    private static let listedModel = Endpoint(
        .get, "/v1/models/{model_id*}", "getListedModel", group: "Models", "Shows a model that can be named.",
        access: .inference,
        parameters: [
            PathParameter(
                "model_id", .text(.string(TextRule(1...Int.max))), "Its id, or another name of it.",
                example: "sandbox/echo")
        ],
        answers: [
            AnswerDescription(
                200, "The model, in a shape that the clients of OpenAI and of Anthropic both read.", model,
                example: """
                    {"id":"sandbox/echo","object":"model","created":0,"owned_by":"hivegate","type":"model",\
                    "display_name":"Sandbox: Echo","created_at":"1970-01-01T00:00:00.000Z"}
                    """),
            AnswerDescription(404, "There is no such model here. The message has the names most like it."),
        ],
        direct: { gateway in { exchange in try await gateway(exchange.loop).showListedModel(exchange) } })

    private static let fetchedImages =
        "With the request's field `X-Hivegate-Fetch-Images: true` images that are given by their URL are fetched here and "
        + "sent to the provider as data (PNG, JPEG, GIF and WebP; at most 20, of 10 MB each and 20 MB together); what "
        + "cannot be fetched is a 400 `image_unreachable`, `image_too_large` or `image_unsupported` that names its place."

    // MARK: Schemas

    /// What the gateway itself reads of a request, no stricter than it reads it.
    private static let request = Schema.openObject([
        Field("model", .string(TextRule(1...Int.max)), "A model of `GET /v1/models`."),
        Field(
            "messages",
            .array(
                of: .openObject([
                    Field(
                        "role", .choice(["system", "developer", "user", "assistant", "tool"]),
                        "Who speaks."),
                    .optional(
                        "content", .anyOf([.freeText, .array(of: .free, 0...Int.max)]), isNullable: true,
                        "A text, or a list of parts."),
                ]), 1...Int.max), "The conversation."),
        .optional("stream", .boolean, isNullable: true, "Whether the answer comes as a stream of events."),
        .optional(
            "stream_options",
            .openObject([.optional("include_usage", .free, "Whether the last event holds the usage.")]),
            isNullable: true, "How to stream."),
        .optional(
            "max_completion_tokens", .integer(1...Int.max), isNullable: true,
            "The most that is to be answered."),
        .optional(
            "max_tokens", .integer(1...Int.max), isNullable: true,
            "The older name of `max_completion_tokens`."),
        .optional("n", .integer(1...16), isNullable: true, "How many answers to choose from."),
        .optional(
            "seed", .integer(Int.min...Int.max), isNullable: true,
            "The same seed gives the same answer, as far as the model keeps to it."),
        .optional(
            "stop", .anyOf([.freeText, .array(of: .freeText, 0...Int.max)]), isNullable: true,
            "Where the answer ends."),
    ]).named("ChatCompletionRequest")

    private static let completion = Schema.openObject([
        Field("id", .freeText, "The completion."),
        Field("object", .choice(["chat.completion"]), "Always `chat.completion`."),
        Field("created", .integer(0...Int.max), "In seconds since 1970."),
        Field("model", .freeText, "The model that answered."),
        Field(
            "choices",
            .array(
                of: .openObject([
                    Field("index", .integer(0...Int.max), "Its place."),
                    .optional("message", .openObject([]), "What was answered."),
                    .optional("finish_reason", .freeText, isNullable: true, "Why it ended."),
                ]), 0...Int.max), "The answers."),
        .optional("usage", .openObject([]), isNullable: true, "The tokens that it took."),
    ]).named("ChatCompletion")

    private static func messageRequest(withLimit: Bool) -> Schema {
        let limit = Field(
            "max_tokens", .integer(0...Int.max), "The most that is to be answered.")
        return .openObject(
            [
                Field("model", .string(TextRule(1...Int.max)), "A model of `GET /v1/models`."),
                Field("messages", .array(of: .openObject([]), 1...Int.max), "The conversation."),
            ] + (withLimit ? [limit] : [])
                + [
                    .optional(
                        "stream", .boolean, isNullable: true,
                        "Whether the answer comes as a stream of events.")
                ]
        ).named(withLimit ? "MessageRequest" : "MessageCountRequest")
    }

    private static let message = Schema.openObject([
        Field("id", .freeText, "The message."),
        Field("type", .choice(["message"]), "Always `message`."),
        Field("role", .choice(["assistant"]), "Always `assistant`."),
        Field("model", .freeText, "The model that answered."),
        Field("content", .array(of: .openObject([]), 0...Int.max), "What was answered."),
        .optional("stop_reason", .freeText, isNullable: true, "Why it ended."),
        Field("usage", .openObject([]), "The tokens that it took."),
    ]).named("Message")

    private static let model = Schema.openObject([
        Field("id", .freeText, "As it is named in requests."),
        Field("object", .choice(["model"]), "Always `model`."),
        Field("created", .integer(Int.min...Int.max), "In seconds since 1970."),
        Field("owned_by", .freeText, "Whose it is."),
    ]).named("Model")
}
