import HTTPServer
import HTTPWire

/// Our own way to ask a model.
enum GenerateEndpoints {
    static let all = [generate, socket]

    private static let generate = Endpoint(
        .post, "/api/v1/generate", "generate", group: "Generate",
        "Answers a prompt or a conversation, in one shape whatever the model.",
        description: """
            With `schema` the answer is JSON that fits it: it is checked, and a model whose answer does not fit is shown \
            what is wrong and asked once more (`repair`). What still does not fit is a 502 with the code \
            `invalid_output`, and `output_faults` says why.

            With `stream` the answer comes as server-sent events, each with its type as its name and in its data: \
            `start` (request_id, model, provider, attempts), `text` and `reasoning` (text), `tool_call` (tool_call), \
            `usage` (usage), and at last `end` (finish_reason; message, as in the whole answer; where a schema was given \
            `output`, or `output_faults` where the answer does not fit), or `error` (error) instead, and then there is no `end`.

            A conversation goes on with `message` at the end of its `messages`. Its parts of the type `reasoning` have a \
            `seal` where the provider wants the thought back, as some do before they go on with the answers of tools.
            """,
        access: .inference,
        body: BodyDescription(
            GenerateSchemas.request,
            example: #"{"model":"sandbox/echo","prompt":"Where is the lighthouse?","#
                + #""schema":{"type":"object","properties":{"place":{"type":"string"}},"#
                + #""required":["place"],"additionalProperties":false}}"#),
        answers: [
            AnswerDescription(
                200, "The answer.", GenerateSchemas.answer,
                example: """
                    {"id":"req_1","model":"sandbox/echo","provider":"sandbox","attempts":1,\
                    "text":"{\\"place\\":\\"sandbox place\\"}","output":{"place":"sandbox place"},\
                    "tool_calls":[],"reasoning":null,"message":{"role":"assistant",\
                    "content":[{"type":"text","text":"{\\"place\\":\\"sandbox place\\"}"}]},"finish_reason":"stop",\
                    "usage":{"input":11,"cache_read":0,"cache_write":0,"output":9,"reasoning":0,\
                    "is_estimated":false}}
                    """),
            AnswerDescription(
                200, "As a stream, where `stream` is true.",
                example: "event: start\ndata: {\"type\":\"start\",\"request_id\":\"req_1\"}\n\n",
                mediaType: "text/event-stream"),
            AnswerDescription(400, "The request is not as the model wants it."),
            AnswerDescription(402, "There is no money for it. `code` says why, `limit_source` where."),
            AnswerDescription(404, "There is no such model."),
            AnswerDescription(422, "The request is not as described. Every fault is in `errors`."),
            AnswerDescription(
                502, "The provider failed, or the answer does not fit the schema.", GenerateSchemas.failure),
            AnswerDescription(504, "The provider did not answer in time."),
        ],
        direct: { gateway in { exchange in try await gateway(exchange.loop).generate(exchange) } })

    private static let socket = Endpoint(
        .get, "/api/v1/chat/ws", "openChatSocket", group: "Generate",
        "Opens a WebSocket on which several requests are answered at once.",
        description: """
            Each message is an object with an `id` of the client's choice (a string of at most 64 characters) and the \
            fields of `POST /api/v1/generate`; the answers are its events, as messages with that `id` and a `type`. \
            `{"id":…,"type":"cancel"}` ends a request, which then ends with the finish_reason `cancelled`. What is wrong \
            with a request is an `error` of its id. The socket is closed with 1003 for a message that is not text, 1007 \
            for one that is no JSON, 1008 for one without an id, or with the id of a request that is under way, and 1009 \
            for one of more than 4 MiB. At most 16 requests are answered at once.

            The key goes into `Authorization`, never into the query. Browsers, which cannot do that, offer the protocols \
            `hivegate` and `hivegate.key.<key>`, of which the first is answered.
            """,
        access: .inference,
        answers: [
            AnswerDescription(101, "The socket is open."),
            AnswerDescription(400, "The handshake is none."),
            AnswerDescription(426, "Nobody asks for a WebSocket."),
        ],
        direct: { gateway in { exchange in try await gateway(exchange.loop).chatSocket(exchange) } })
}
