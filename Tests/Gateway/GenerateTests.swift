import Base
import JSON
import TestKit
import Testing

struct GenerateTests {
    private static let place =
        #"{"type":"object","properties":{"place":{"type":"string"},"count":{"type":"integer","minimum":3}},"#
        + #""required":["place","count"],"additionalProperties":false}"#

    /// An upstream that gives these answers in turn, in OpenAI's dialect.
    private static func saying(
        _ texts: [String], seen: Locked<[String]> = Locked([])
    ) -> GatewayWorld.Script {
        let rest = Locked(texts)
        return { peer in
            while let head = try await peer.head() {
                let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?
                    .split(separator: " ").last.flatMap { Int($0) }
                let body = try await peer.read(length ?? 0) ?? []
                seen.withLock { $0.append(String(decoding: body, as: UTF8.self)) }
                let text = rest.withLock { $0.isEmpty ? "" : $0.removeFirst() }
                var json = JSONWriter()
                json.object { json in
                    json.field("id", "x")
                    json.array("choices") { json in
                        json.object { json in
                            json.field("index", 0)
                            json.field("finish_reason", "stop")
                            json.object("message") { json in
                                json.field("role", "assistant")
                                json.field("content", text)
                            }
                        }
                    }
                    json.object("usage") { json in
                        json.field("prompt_tokens", 10)
                        json.field("completion_tokens", 5)
                        json.field("total_tokens", 15)
                    }
                }
                let answer = String(decoding: json.bytes, as: UTF8.self)
                try await peer.write(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(json.bytes.count)\r\n\r\n\(answer)"
                )
            }
        }
    }

    private static func generate(
        _ world: GatewayWorld, _ body: String, key: String? = nil
    ) async throws -> GatewayWorld.Answer {
        try await world.send(
            "POST", "/api/v1/generate", [("Authorization", "Bearer \(key ?? world.key())")], body: body)
    }

    @Test func `a prompt is answered in one shape, with what it took`() async throws {
        try await GatewayWorld.run { world in
            let answer = try await Self.generate(
                world, #"{"model":"sandbox/echo","prompt":"hello","system":"be brief","metadata":{"a":"b"}}"#)
            #expect(answer.status == 200)
            let json = try JSONDocument(parsing: answer.body)
            #expect(json["text"]?.string == "Sandbox echo: hello")
            #expect(json["provider"]?.string == "sandbox" && json["model"]?.string == "sandbox/echo")
            #expect(json["attempts"]?.int == 1 && json["finish_reason"]?.string == "stop")
            #expect(json["usage"]?["output"]?.int ?? 0 > 0 && json["output"] == nil)
            #expect(json["id"]?.string == answer["x-request-id"])
        }
    }

    @Test func `the sandbox answers with a value that fits the schema`() async throws {
        try await GatewayWorld.run { world in
            let answer = try await Self.generate(
                world, #"{"model":"sandbox/echo","prompt":"hello","schema":\#(Self.place)}"#)
            let json = try JSONDocument(parsing: answer.body)
            #expect(json["output"]?["place"]?.string == "sandbox place" && json["output"]?["count"]?.int == 3)
            let impossible = try await Self.generate(
                world,
                #"{"model":"sandbox/echo","prompt":"a","schema":{"type":"string","minLength":3,"maxLength":2}}"#
            )
            #expect(impossible.status == 422 && impossible.code == "sandbox_misfit")
        }
    }

    @Test func `a tool that must be called is called with what it takes`() async throws {
        try await GatewayWorld.run { world in
            let answer = try await Self.generate(
                world,
                #"{"model":"sandbox/echo","prompt":"a","tool_choice":"required","tools":[{"type":"function","#
                    + #""function":{"name":"look","parameters":\#(Self.place)}}]}"#)
            let json = try JSONDocument(parsing: answer.body)
            let call = json["tool_calls"]?.element(0)?["function"]
            #expect(call?["name"]?.string == "look")
            let arguments = try JSONDocument(parsing: Array((call?["arguments"]?.string ?? "").utf8))
            #expect(arguments["count"]?.int == 3)
            #expect(json["finish_reason"]?.string == "tool_calls")
        }
    }

    @Test func `everything that is wrong is said at once`() async throws {
        try await GatewayWorld.run { world in
            let answer = try await Self.generate(
                world,
                #"{"model":"","prompt":1,"extra":true,"temperature":3,"schema":{"type":"text"},"provider":{"x":1}}"#
            )
            #expect(answer.status == 422 && answer.code == "invalid_fields")
            let errors = try JSONDocument(parsing: answer.body)["error"]?["errors"]?.elements.compactMap {
                $0["field"]?.string
            }
            #expect(
                Set(errors ?? []) == ["model", "prompt", "extra", "temperature", "schema", "provider.x"])
            let both = try await Self.generate(world, #"{"model":"a/b","prompt":"a","messages":[]}"#)
            #expect(both.status == 422)
            let neither = try await Self.generate(world, #"{"model":"a/b"}"#)
            #expect(neither.text.contains("is required, or messages"))
            let role = try await Self.generate(
                world, #"{"model":"sandbox/echo","messages":[{"role":"tool"}]}"#)
            #expect(role.status == 422)
        }
    }

    @Test func `an answer that does not fit is asked for once more, and both count`() async throws {
        let seen = Locked<[String]>([])
        let script = Self.saying(["here: {}", #"{"place":"sea","count":4}"#], seen: seen)
        try await GatewayWorld.run(upstream: script) { world in
            let answer = try await Self.generate(
                world, #"{"model":"openai/gpt-x","prompt":"where?","schema":\#(Self.place)}"#)
            #expect(answer.status == 200 && answer["x-hivegate-repaired"] == "true")
            let json = try JSONDocument(parsing: answer.body)
            #expect(json["output"]?["place"]?.string == "sea" && json["attempts"]?.int == 2)
            #expect(json["usage"]?["input"]?.int == 20 && json["usage"]?["output"]?.int == 10)
            let second = try JSONDocument(parsing: Array(seen.withLock { $0[1] }.utf8))
            let texts = second["messages"]?.elements.compactMap { $0["content"]?.string } ?? []
            #expect(texts.count == 3 && texts[1] == "here: {}" && texts[2].contains("not valid JSON"))
        }
    }

    @Test
    func `what still does not fit is refused with its faults, and not repaired where nobody wants that`()
        async throws
    {
        let seen = Locked<[String]>([])
        try await GatewayWorld.run(
            upstream: Self.saying(["{}", #"{"place":1,"count":3}"#, "{}"], seen: seen)
        ) {
            world in
            let body = #"{"model":"openai/gpt-x","prompt":"where?","schema":\#(Self.place)"#
            let answer = try await Self.generate(world, body + "}")
            #expect(answer.status == 502 && answer.code == "invalid_output")
            #expect(answer["x-should-retry"] == "false")
            let faults = try JSONDocument(parsing: answer.body)["output_faults"]?.elements.map {
                "\($0["pointer"]?.string ?? "") \($0["message"]?.string ?? "")"
            }
            #expect(faults == ["/place must be a string"])
            let once = try await Self.generate(world, body + #","repair":false}"#)
            #expect(once.status == 502)
            #expect(seen.withLock { $0.count } == 3)
        }
    }

    @Test func `a stream has a beginning, its words, what it took and an end that says whether it fits`()
        async throws
    {
        try await GatewayWorld.run { world in
            let answer = try await Self.generate(
                world, #"{"model":"sandbox/echo","prompt":"hello","schema":\#(Self.place),"stream":true}"#)
            #expect(answer["content-type"]?.hasPrefix("text/event-stream") == true)
            let types = answer.text.split(separator: "\n").filter { $0.hasPrefix("event: ") }.map {
                String($0.dropFirst(7))
            }
            #expect(types.first == "start" && types.suffix(2) == ["usage", "end"] && types.contains("text"))
            #expect(answer.text.contains(#""output":{"place":"sandbox place","count":3}"#))
        }
    }

    @Test func `a stream whose words do not fit says so at its end`() async throws {
        try await GatewayWorld.run(upstream: Self.saying([#"{"place":1,"count":3}"#])) { world in
            let answer = try await Self.generate(
                world, #"{"model":"openai/gpt-x","prompt":"hello","schema":\#(Self.place),"stream":true}"#)
            let faults = #""output_faults":[{"pointer":"/place","message":"must be a string"}]"#
            #expect(answer.status == 200 && answer.text.contains("event: end\n"))
            #expect(answer.text.contains(#""finish_reason":"stop",\#(faults),"message":{"#))
        }
    }

    @Test func `a stream that fails in the middle says so and has no end`() async throws {
        try await GatewayWorld.run { world in
            let answer = try await Self.generate(
                world, #"{"model":"sandbox/flaky","prompt":"hello","seed":2,"stream":true}"#)
            #expect(answer.text.contains("event: error\n") && !answer.text.contains("event: end\n"))
            #expect(answer.text.contains("sandbox_fault"))
        }
    }

    // MARK: The dialects of others

    private static func complete(
        _ world: GatewayWorld, _ fields: [(name: String, value: String)], _ more: String = ""
    ) async throws -> GatewayWorld.Answer {
        let format = #"{"type":"json_schema","json_schema":{"name":"a","schema":\#(place)}}"#
        return try await world.send(
            "POST", "/v1/chat/completions", [("Authorization", "Bearer \(world.key())")] + fields,
            body:
                #"{"model":"openai/gpt-x","messages":[{"role":"user","content":"hi"}],"response_format":\#(format)\#(more)}"#
        )
    }

    @Test func `an answer in OpenAI's dialect is checked where that is asked for`() async throws {
        let good = #"{"place":"sea","count":4}"#
        try await GatewayWorld.run(upstream: Self.saying(["{}", "{}", good, "{}", good])) { world in
            #expect(try await Self.complete(world, []).status == 200)
            let validate = (name: "X-Hivegate-Validate", value: "true")
            let refused = try await Self.complete(world, [validate])
            #expect(refused.status == 502 && refused.code == "invalid_output")
            #expect(refused.text.contains(#""field":"/place""#))
            // Untouched where it fits.
            let fits = try await Self.complete(world, [validate])
            #expect(fits.status == 200 && fits.text.hasPrefix(#"{"id":"x","choices""#))
            let repaired = try await Self.complete(world, [validate, ("X-Hivegate-Repair", "1")])
            #expect(repaired.status == 200 && repaired["x-hivegate-repaired"] == "true")
            #expect(try JSONDocument(parsing: repaired.body)["usage"]?["prompt_tokens"]?.int == 20)
        }
    }

    @Test func `what cannot be checked is refused instead of passed`() async throws {
        try await GatewayWorld.run(upstream: Self.saying([])) { world in
            let validate = (name: "X-Hivegate-Validate", value: "true")
            let stream = try await Self.complete(world, [validate], #","stream":true"#)
            #expect(stream.status == 400 && stream.code == "validation_needs_whole_answer")
            let several = try await Self.complete(world, [validate], #","n":2"#)
            #expect(several.status == 400 && several.code == "validation_needs_one_answer")
            let odd = try await Self.complete(world, [("X-Hivegate-Validate", "maybe")])
            #expect(odd.status == 400)
        }
    }

    @Test func `a schema that is none is refused by every dialect that has to read it`() async throws {
        try await GatewayWorld.run { world in
            let fields = [(name: "Authorization", value: "Bearer \(world.key())")]
            let schema = #"{"type":"object","properties":{"a":{"type":"text"}}}"#
            let messages = #""model":"sandbox/echo","messages":[{"role":"user","content":"a"}]"#
            let requests = [
                (
                    "/v1/chat/completions", "response_format.json_schema.schema",
                    #"{\#(messages),"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":\#(schema)}}}"#
                ),
                (
                    "/v1/responses", "text.format.schema",
                    #"{"model":"sandbox/echo","input":"a","text":{"format":{"type":"json_schema","name":"a","schema":\#(schema)}}}"#
                ),
                (
                    "/v1/messages", "output_config.format.schema",
                    #"{\#(messages),"max_tokens":9,"output_config":{"format":{"type":"json_schema","schema":\#(schema)}}}"#
                ),
            ]
            for (path, field, body) in requests {
                let answer = try await world.send("POST", path, fields, body: body)
                #expect(answer.status == 400, "\(path)")
                #expect(answer.text.contains(field) && answer.text.contains("/properties/a/type"), "\(path)")
            }
        }
    }
}
