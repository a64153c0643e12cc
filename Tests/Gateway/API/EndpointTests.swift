import Base
import Gateway
import HTTPWire
import Identity
import JSON
import Testing

/// Endpoints that say what they were given.
private enum Samples {
    static let all = [make, list, drop, move, guarded, optional]

    static let name = Field("name", .line(1...10), "Its name.")

    static let make = Endpoint(
        .post, "/sample/{thing_id}/{colour}", "makeSample", group: "Sample", "Makes one.", access: .open,
        parameters: [
            PathParameter("thing_id", .object(.apiKey), "The thing."),
            PathParameter("colour", .text(.choice(["red", "green"])), "Its colour.", example: "red"),
        ],
        query: [
            QueryParameter("limit", .integer(1...100), default: "50", "How many."),
            QueryParameter("deep", .boolean, example: "true", "Whether deep."),
            QueryParameter("text", .string(0...5), "A text."),
        ],
        body: .object(
            [name, .optional("scopes", .array(of: .choice(["a", "b"])), "Scopes.")],
            example: #"{"name":"n"}"#),
        answers: [AnswerDescription(201, "It is made.", .openObject([]))]
    ) { _, call in
        .json(201, ["X-Extra": "yes"]) { json in
            json.field("id", call.id("thing_id").description)
            json.field("colour", call.text("colour"))
            json.field("limit", call.query.integer("limit"))
            json.field("deep", ifPresent: call.query.optionalBool("deep"))
            json.field("text", ifPresent: call.query.optionalString("text"))
            json.field("name", call.fields.string("name"))
            json.field("address", ifPresent: call.address?.description)
            json.field("is_known", call.caller != nil)
        }
    }

    static let list = Endpoint(
        .get, "/sample", "listSamples", group: "Sample", "Lists.", access: .open,
        answers: [AnswerDescription(200, "All.", .openObject([]))]
    ) { _, _ in .json { $0.field("ok", true) } }

    static let drop = Endpoint(
        .delete, "/sample/{thing_id}", "dropSample", group: "Sample", "Drops one.", access: .open,
        parameters: [PathParameter("thing_id", .object(.apiKey), "The thing.")],
        answers: [AnswerDescription(204, "It is gone.")]
    ) { _, _ in .empty() }

    static let move = Endpoint(
        .get, "/sample/away", "leaveSample", group: "Sample", "Leads away.", access: .open,
        answers: [AnswerDescription(303, "There.")]
    ) { _, _ in .redirect("https://example.com/") }

    static let guarded = Endpoint(
        .put, "/guarded/{thing_id}", "guardedSample", group: "Sample", "Is guarded.", access: .inference,
        parameters: [PathParameter("thing_id", .object(.apiKey), "The thing.")],
        body: .object([name], example: #"{"name":"n"}"#),
        answers: [AnswerDescription(200, "Done.", .openObject([]))]
    ) { _, call in .json { $0.field("user", call.principal.user.description) } }

    static let optional = Endpoint(
        .patch, "/optional", "optionalSample", group: "Sample", "Takes a body or none.", access: .open,
        body: .object([.optional("name", .line(1...10), "Its name.")], example: "{}", isRequired: false),
        answers: [AnswerDescription(200, "Done.", .openObject([]))]
    ) { _, call in .json { $0.field("has_name", call.fields.isPresent("name")) } }
}

struct EndpointTests {
    private static let id = "019f3a52-7c1e-7b04-9d52-3f0e6a1b2c4d"
    private static let json = [(name: "Content-Type", value: "application/json")]

    private func run(_ body: @escaping @Sendable (GatewayWorld) async throws -> Void) async throws {
        try await GatewayWorld.run(endpoints: Samples.all, body)
    }

    /// `field: message` of each entry in `errors`.
    private func errors(_ answer: GatewayWorld.Answer) throws -> [String] {
        let error = try #require(try JSONDocument(parsing: answer.body)["error"])
        return try #require(error["errors"]).elements.map {
            "\($0["field"]?.string ?? "?"): \($0["message"]?.string ?? "?")"
        }
    }

    @Test func `what is as described reaches the endpoint, and its reply the client`() async throws {
        try await run { world in
            let answer = try await world.send(
                "POST", "/sample/\(Self.id)/red?limit=7&deep=true&text=a%20b", Self.json,
                body: #"{"name":"n"}"#)
            #expect(answer.status == 201 && answer["x-extra"] == "yes")
            #expect(answer["content-type"] == "application/json" && answer["cache-control"] == "no-store")
            #expect(answer["x-request-id"]?.hasPrefix("req_") == true)
            #expect(
                answer.text == #"{"id":"\#(Self.id)","colour":"red","limit":7,"deep":true,"text":"a b","#
                    + #""name":"n","address":"127.0.0.1","is_known":false}"#)
            let few = try await world.send(
                "POST", "/sample/\(Self.id)/green", Self.json, body: #"{"name":"n"}"#)
            #expect(few.status == 201 && few.text.contains(#""limit":50,"name""#))
            let gone = try await world.send("DELETE", "/sample/\(Self.id)")
            #expect(gone.status == 204 && gone.body.isEmpty && gone["x-request-id"] != nil)
            let away = try await world.send("GET", "/sample/away")
            #expect(away.status == 303 && away["location"] == "https://example.com/")
        }
    }

    @Test func `every fault of query and body is said in one answer`() async throws {
        try await run { world in
            let answer = try await world.send(
                "POST", "/sample/\(Self.id)/red?limit=0&deep=1&text=123456&text=1&more=", Self.json,
                body: #"{"scopes":["a","c"],"x":1}"#)
            #expect(answer.status == 422 && answer.code == "invalid_fields")
            #expect(answer["cache-control"] == "no-store" && answer["content-type"] == "application/json")
            #expect(
                try self.errors(answer) == [
                    "text: is given more than once", "limit: must be between 1 and 100",
                    "deep: must be true or false", "text: must have at most 5 characters",
                    "more: is not known here", "scopes[1]: must be one of a, b", "x: is not known here",
                    "name: is required",
                ])
            let error = try #require(try JSONDocument(parsing: answer.body)["error"])
            #expect(error["param"]?.string == "text" && error["type"]?.string == "invalid_request_error")
            #expect(error["request_id"]?.string == answer["x-request-id"])
        }
    }

    @Test func `an address that names no possible object is one where nothing is`() async throws {
        try await run { world in
            for path in ["/sample/1/red", "/sample/\(Self.id)x/red", "/sample/\(Self.id)/blue"] {
                let answer = try await world.send("POST", path, Self.json, body: "{}")
                #expect(answer.status == 404 && answer.code == "not_found", "\(path)")
            }
        }
    }

    @Test func `a caller learns who they are not before anything else, then what they may not`() async throws
    {
        try await run { world in
            let path = "/guarded/none?x=1"
            let unknown = try await world.send("PUT", path, body: "no JSON")
            #expect(unknown.status == 401 && unknown["www-authenticate"] == "Bearer")
            let reader = world.key(scopes: .read)
            let refused = try await world.send("PUT", path, [("x-api-key", reader)], body: "no JSON")
            #expect(refused.status == 403)
            let key = world.key()
            let lost = try await world.send("PUT", path, [("x-api-key", key)], body: "no JSON")
            #expect(lost.status == 404)
            let wrong = try await world.send(
                "PUT", "/guarded/\(Self.id)?x=1", Self.json + [("x-api-key", key)], body: "{}")
            #expect(wrong.status == 422)
            #expect(try self.errors(wrong) == ["x: is not known here", "name: is required"])
            let right = try await world.send(
                "PUT", "/guarded/\(Self.id)", Self.json + [("x-api-key", key)], body: #"{"name":"n"}"#)
            #expect(right.status == 200)
        }
    }

    @Test(arguments: [
        ("application/json", 201), ("application/json; charset=utf-8", 201), ("Application/JSON", 201),
        ("application/json ;x", 201), ("text/json", 415), ("application/jsonp", 415),
        ("application/jso.", 415),
        ("", 415), (nil, 415), ("application/x-www-form-urlencoded", 415),
    ])
    func `a body is JSON by its media type`(type: String?, status: Int) async throws {
        try await run { world in
            let answer = try await world.send(
                "POST", "/sample/\(Self.id)/red", type.map { [("Content-Type", $0)] } ?? [],
                body: #"{"name":"n"}"#)
            #expect(answer.status == status)
        }
    }

    @Test func `what is no JSON is refused with the place, what is no object as a whole`() async throws {
        try await run { world in
            let path = "/sample/\(Self.id)/red"
            let broken = try await world.send("POST", path, Self.json, body: #"{"name":}"#)
            #expect(broken.status == 400 && broken.code == "invalid_json" && broken.text.contains("byte 8"))
            let twice = try await world.send("POST", path, Self.json, body: #"{"name":"a","name":"b"}"#)
            #expect(twice.status == 400 && twice.code == "invalid_json")
            let list = try await world.send("POST", path, Self.json, body: "[]")
            #expect(list.status == 422)
            #expect(try self.errors(list) == [": the body must be a JSON object"])
            let large = #"{"name":"\#(String(repeating: "n", count: 65_536))"}"#
            #expect(try await world.send("POST", path, Self.json, body: large).status == 413)
        }
    }

    @Test func `a body is sent where one is wanted, and nowhere else`() async throws {
        try await run { world in
            for fields in [[], Self.json] {
                let missing = try await world.send("POST", "/sample/\(Self.id)/red", fields)
                #expect(missing.status == 422 && missing.code == "missing_body")
                let empty = try await world.send("POST", "/sample/\(Self.id)/red", fields, body: "")
                #expect(empty.status == 422 && empty.code == "missing_body")
                let unwanted = try await world.send("DELETE", "/sample/\(Self.id)", fields, body: "{}")
                #expect(unwanted.status == 422 && unwanted.code == "unexpected_body")
                #expect(try await world.send("DELETE", "/sample/\(Self.id)", fields, body: "").status == 204)
                let none = try await world.send("PATCH", "/optional", fields)
                #expect(none.status == 200 && none.text == #"{"has_name":false}"#)
            }
            let some = try await world.send("PATCH", "/optional", Self.json, body: #"{"name":"n"}"#)
            #expect(some.text == #"{"has_name":true}"#)
            let wrong = try await world.send("PATCH", "/optional", Self.json, body: #"{"name":""}"#)
            #expect(try self.errors(wrong) == ["name: must not be empty"])
        }
    }

    @Test(arguments: [
        ("limit=007", 422), ("limit=%207", 422), ("limit=", 422), ("limit=seven", 422), ("limit=1e1", 201),
        ("limit=-1", 422), ("limit=%22%7%22", 400), ("deep=TRUE", 422), ("deep=false", 201), ("text=", 201),
        ("text=%C3%28", 400), ("=", 422), ("&&", 201), ("", 201), ("limit=%5B7%5D", 422),
    ])
    func `a parameter of the query is what its text says, to the letter`(query: String, status: Int)
        async throws
    {
        try await run { world in
            let answer = try await world.send(
                "POST", "/sample/\(Self.id)/red?\(query)", Self.json, body: #"{"name":"n"}"#)
            #expect(answer.status == status)
        }
    }

    @Test func `where nothing is asked for, nothing is taken`() async throws {
        try await run { world in
            #expect(try await world.send("GET", "/sample").status == 200)
            let answer = try await world.send("GET", "/sample?limit=1")
            #expect(try self.errors(answer) == ["limit: is not known here"])
            #expect(try await world.send("PUT", "/sample").status == 405)
            #expect(try await world.send("HEAD", "/sample").status == 200)
        }
    }
}
