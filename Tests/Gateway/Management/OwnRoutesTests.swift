import Base
import Chat
import Gateway
import Identity
import JSON
import Loop
import Providers
import TestKit
import Testing

/// What organizations and operators set up for themselves, and where requests go then.
struct OwnRoutesTests {
    private typealias Person = ManagementWorld.Person

    /// A provider in OpenAI's dialect that says which key it was asked with, and refuses those that say so.
    // Confined to its loop.
    private final class Provider: @unchecked Sendable {
        private let server: ScriptedUpstream
        let log = Locked<[String]>([])

        init(on loop: EventLoop) throws {
            let log = log
            server = try ScriptedUpstream(on: loop) { peer in
                guard let head = try await peer.head() else { return }
                let fields = head.split(separator: "\r\n")
                func field(_ name: String) -> String {
                    fields.first { $0.lowercased().hasPrefix("\(name): ") }.map {
                        String($0.dropFirst(name.utf8.count + 2))
                    } ?? ""
                }
                _ = try await peer.read(Int(field("content-length")) ?? 0)
                let key = String(field("authorization").dropFirst("Bearer ".utf8.count))
                log.withLock { $0.append(key) }
                let isRefused = key.contains("refused")
                let body =
                    isRefused
                    ? #"{"error":{"message":"no such key"}}"#
                    : #"{"choices":[{"index":0,"message":{"role":"assistant","content":"\#(key)"},"finish_reason":"stop"}]}"#
                try await peer.write(
                    "HTTP/1.1 \(isRefused ? "401 Unauthorized" : "200 OK")\r\nContent-Type: application/json\r\n"
                        + "Connection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            }
        }

        var url: String { server.url }
        var keys: [String] { log.withLock { $0 } }
        func close() { server.close() }
    }

    /// A world whose environment has set up `openai` at a provider of its own, with the key `instance`.
    private static func run(
        allowsLoopback: Bool = true,
        _ body: @escaping @Sendable (ManagementWorld, Provider) async throws -> Void
    ) async throws {
        try await onLoop { loop in
            let provider = try Provider(on: loop)
            var options = ManagementWorld.Options()
            options.outboundExceptions =
                allowsLoopback ? [IPNetwork("127.0.0.0/8")].compactMap(\.self) : []
            options.upstreams = [
                Upstream.Settings(
                    name: "openai", chat: OpenAIChatCodec(.openAI), baseURL: provider.url,
                    keys: [Secret("instance")])
            ]
            try await ManagementWorld.run(options) { world in try await body(world, provider) }
            provider.close()
        }
    }

    private struct Asked {
        var status: Int
        var code: String?
        /// Which key answered.
        var key: String?
        var text: String
    }

    private static func ask(
        _ model: String, by key: String, _ world: ManagementWorld, _ more: String = ""
    ) async throws -> Asked {
        let answer = try await world.send(
            "POST", "/v1/chat/completions", as: .bearer(key),
            #"{"model":"\#(model)","messages":[{"role":"user","content":"hi"}]\#(more)}"#)
        return Asked(
            status: answer.status, code: answer.code,
            key: answer.json?["choices"]?.element(0)?["message"]?["content"]?.string, text: answer.text)
    }

    private static func key(of person: Person, _ world: ManagementWorld) async throws -> String {
        let made = try await world.send(
            "POST", "/api/auth/api-keys", as: person, #"{"name":"test","scopes":["inference","read"]}"#)
        return try #require(made.json?["key"]?.string, "\(made.text)")
    }

    private static func addCredential(
        _ key: String, at provider: Provider, of person: Person, _ world: ManagementWorld
    ) async throws -> String {
        let made = try await world.send(
            "POST", "/api/v1/credentials", as: person,
            #"{"provider":"openai","api_key":"\#(key)","base_url":"\#(provider.url)"}"#)
        #expect(made.status == 201, "\(made.text)")
        return try #require(made.json?["id"]?.string)
    }

    private static let model = "openai/of-nobody"

    // MARK: Keys of an organization's own

    @Test
    func `an organization's own key is used from the next request on, and nobody else's requests use it`()
        async throws
    {
        try await Self.run { world, provider in
            let mine = try await world.newPerson("mine")
            let theirs = try await world.newPerson("theirs")
            let (myKey, theirKey) = (
                try await Self.key(of: mine, world), try await Self.key(of: theirs, world)
            )
            #expect(try await Self.ask(Self.model, by: myKey, world).key == "instance")

            let id = try await Self.addCredential("sk-mine", at: provider, of: mine, world)
            #expect(try await Self.ask(Self.model, by: myKey, world).key == "sk-mine")
            #expect(try await Self.ask(Self.model, by: theirKey, world).key == "instance")

            let changed = try await world.send(
                "PATCH", "/api/v1/credentials/\(id)", as: mine, #"{"api_key":"sk-new"}"#)
            #expect(changed.status == 200)
            #expect(try await Self.ask(Self.model, by: myKey, world).key == "sk-new")

            #expect(try await world.send("DELETE", "/api/v1/credentials/\(id)", as: mine).status == 204)
            #expect(try await Self.ask(Self.model, by: myKey, world).key == "instance")
        }
    }

    @Test func `several keys of an organization take turns, and one that is refused is left out`()
        async throws
    {
        try await Self.run { world, provider in
            let person = try await world.newPerson("mine")
            let key = try await Self.key(of: person, world)
            for name in ["sk-1", "sk-refused", "sk-2"] {
                _ = try await Self.addCredential(name, at: provider, of: person, world)
            }
            var answered: Set<String> = []
            for _ in 0..<6 {
                let asked = try await Self.ask(Self.model, by: key, world)
                #expect(asked.status == 200, "\(asked.text)")
                answered.insert(asked.key ?? "")
            }
            #expect(answered == ["sk-1", "sk-2"])
            #expect(provider.keys.filter { $0 == "sk-refused" }.count == 1)
        }
    }

    @Test
    func `where an organization has a key of its own, no request goes on the instance's unless it says so`()
        async throws
    {
        try await Self.run { world, provider in
            let person = try await world.newPerson("mine")
            let key = try await Self.key(of: person, world)
            let id = try await Self.addCredential("sk-refused", at: provider, of: person, world)
            let refused = try await Self.ask(Self.model, by: key, world)
            #expect(refused.status == 502 && refused.code == "provider_account", "\(refused.text)")

            let path = "/api/v1/organizations/\(person.organization)/routing"
            let set = try await world.send("PUT", path, as: person, #"{"use_instance_keys":true}"#)
            #expect(set.status == 200, "\(set.text)")
            #expect(try await Self.ask(Self.model, by: key, world).key == "instance")
            #expect(try await world.send("PUT", path, as: person, "{}").text == "{}")

            // It loses its key with its place, and still nobody else's is used.
            let moved = try await world.send(
                "PATCH", "/api/v1/credentials/\(id)", as: person, #"{"base_url":null}"#)
            #expect(moved.status == 200, "\(moved.text)")
            let unserved = try await Self.ask(Self.model, by: key, world)
            #expect(unserved.status == 404, "\(unserved.text)")

            let disabled = try await world.send(
                "PATCH", "/api/v1/credentials/\(id)", as: person, #"{"disabled":true}"#)
            #expect(disabled.status == 200)
            #expect(try await Self.ask(Self.model, by: key, world).key == "instance")
        }
    }

    @Test func `an organization's address that leads into the house is not spoken to`() async throws {
        try await Self.run(allowsLoopback: false) { world, provider in
            let person = try await world.newPerson("mine")
            let key = try await Self.key(of: person, world)
            _ = try await Self.addCredential("sk-mine", at: provider, of: person, world)
            let asked = try await Self.ask(Self.model, by: key, world)
            #expect(asked.status == 502, "\(asked.text)")
            #expect(!asked.text.contains("127.0.0.1"))
            #expect(provider.keys.isEmpty)
        }
    }

    @Test func `a key that no request could be sent with is refused when it is stored`() async throws {
        try await Self.run { world, _ in
            let person = try await world.newPerson("mine")
            let cases = [
                (#"{"provider":"nobody","api_key":"sk"}"#, "unknown_provider", "provider"),
                (#"{"provider":"azure","api_key":"sk"}"#, "invalid_body", "base_url"),
                (
                    #"{"provider":"bedrock","api_key":"A:B","base_url":"https://bedrock.example"}"#,
                    "invalid_body", "base_url"
                ),
                (
                    #"{"provider":"bedrock","api_key":"A","base_url":"https://bedrock-runtime.eu-west-1.amazonaws.com"}"#,
                    "invalid_body", "api_key"
                ),
            ]
            for (body, code, field) in cases {
                let answer = try await world.send("POST", "/api/v1/credentials", as: person, body)
                #expect(answer.status == 422 && answer.code == code, "\(answer.text)")
                #expect(answer.json?["error"]?["param"]?.string == field, "\(answer.text)")
            }
            let alias = try await world.send(
                "POST", "/api/v1/credentials", as: person, #"{"provider":"google","api_key":"sk"}"#)
            #expect(alias.json?["provider"]?.string == "gemini", "\(alias.text)")
        }
    }

    // MARK: Policy

    @Test func `an organization's policy holds from the next request on, and a request cannot widen it`()
        async throws
    {
        try await Self.run { world, provider in
            let person = try await world.newPerson("mine")
            let key = try await Self.key(of: person, world)
            #expect(try await Self.ask(Self.model, by: key, world).status == 200)
            let path = "/api/v1/organizations/\(person.organization)/routing"
            let policy = #"{"ignore":["openai"],"max_price":{"prompt":2.5}}"#
            let set = try await world.send("PUT", path, as: person, policy)
            #expect(set.status == 200, "\(set.text)")
            let shown = try await world.send("GET", path, as: person)
            #expect(shown.json?["ignore"]?.element(0)?.string == "openai", "\(shown.text)")
            for wish in ["", #","provider":{"only":["openai"]}"#, #","provider":{"ignore":[]}"#] {
                let asked = try await Self.ask(Self.model, by: key, world, wish)
                #expect(asked.status == 404 && asked.code == "no_provider_allowed", "\(asked.text)")
            }
            #expect(provider.keys.count == 1)
            #expect(try await world.send("PUT", path, as: person, "{}").status == 200)
            #expect(try await Self.ask(Self.model, by: key, world).status == 200)

            for bad in [
                #"{"orders":["openai"]}"#, #"{"sort":"luck"}"#, #"{"max_price":{"prompt":-1}}"#,
                #"{"only":"openai"}"#,
            ] {
                let answer = try await world.send("PUT", path, as: person, bad)
                #expect(answer.status == 422, "\(bad) \(answer.text)")
            }
        }
    }

    // MARK: Operators

    private static func makeOperator(_ person: Person, _ world: ManagementWorld) async throws {
        try await world.store.addOperator(person.user, by: .command)
    }

    @Test func `a provider that an operator adds can be asked and is listed at once, until it is deleted`()
        async throws
    {
        try await Self.run { world, provider in
            let boss = try await world.newPerson("boss")
            try await Self.makeOperator(boss, world)
            let key = try await Self.key(of: boss, world)
            #expect(try await Self.ask("house/qwen3-32b", by: key, world).status == 404)
            let body = #"""
                {"name":"house","title":"In the house","dialect":"openai","base_url":"\#(provider.url)","api_key":"sk-house",
                "models":["qwen3-32b",{"name":"org/Big-One","context_tokens":4096,"input_price":0.07,"output_price":1.5}]}
                """#
            let added = try await world.send("POST", "/api/v1/admin/providers", as: boss, body)
            #expect(added.status == 201, "\(added.text)")
            #expect(!added.text.contains("sk-house"))

            for model in ["house/qwen3-32b", "qwen3-32b", "house/org/Big-One", "big-one", "house/unlisted"] {
                let asked = try await Self.ask(model, by: key, world)
                #expect(asked.key == "sk-house", "\(model): \(asked.text)")
            }
            // What is not known of a model is no reason to refuse.
            let tools =
                #","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]"#
            #expect(try await Self.ask("house/qwen3-32b", by: key, world, tools).status == 200)
            let shown = try await world.send("GET", "/api/v1/models/house/org/Big-One", as: .bearer(key))
            #expect(shown.text.contains(#""is_available":true"#), "\(shown.text)")
            #expect(shown.text.contains("0.07"), "\(shown.text)")
            let list = try await world.send("GET", "/v1/models", as: .bearer(key))
            #expect(list.text.contains(#""house/qwen3-32b""#), "\(list.text)")
            let twice = try await world.send("POST", "/api/v1/admin/providers", as: boss, body)
            #expect(twice.status == 409 && twice.code == "provider_exists", "\(twice.text)")
            let listed = try await world.send("GET", "/api/v1/admin/providers", as: boss)
            #expect(listed.json?["data"]?.element(0)?["name"]?.string == "house", "\(listed.text)")

            let deleted = try await world.send("DELETE", "/api/v1/admin/providers/house", as: boss)
            #expect(deleted.status == 204, "\(deleted.text)")
            #expect(try await Self.ask("house/qwen3-32b", by: key, world).status == 404)
            let again = try await world.send("DELETE", "/api/v1/admin/providers/house", as: boss)
            #expect(again.status == 404)
            let credentials = try await world.send("GET", "/api/v1/admin/credentials", as: boss)
            #expect(credentials.json?["data"]?.count == 0, "\(credentials.text)")
        }
    }

    @Test func `a provider that cannot be added changes nothing`() async throws {
        try await Self.run { world, provider in
            let boss = try await world.newPerson("boss")
            try await Self.makeOperator(boss, world)
            let cases = [
                (#"{"name":"openai","dialect":"openai","base_url":"\#(provider.url)"}"#, 409),
                (#"{"name":"google","dialect":"openai","base_url":"\#(provider.url)"}"#, 409),
                (#"{"name":"Bad Name","dialect":"openai","base_url":"\#(provider.url)"}"#, 422),
                (#"{"name":"house","dialect":"latin","base_url":"\#(provider.url)"}"#, 422),
                (#"{"name":"house","dialect":"openai","base_url":"ftp://x"}"#, 422),
                (
                    #"{"name":"house","dialect":"openai","base_url":"\#(provider.url)","models":["a","a"]}"#,
                    422
                ),
            ]
            for (body, status) in cases {
                let answer = try await world.send("POST", "/api/v1/admin/providers", as: boss, body)
                #expect(answer.status == status, "\(body) \(answer.text)")
            }
            let listed = try await world.send("GET", "/api/v1/admin/providers", as: boss)
            #expect(listed.json?["data"]?.count == 0)
        }
    }

    @Test
    func `a key that an operator stores serves everybody, and organizations may have their own beside it`()
        async throws
    {
        try await Self.run { world, provider in
            let boss = try await world.newPerson("boss")
            let other = try await world.newPerson("other")
            try await Self.makeOperator(boss, world)
            let key = try await Self.key(of: other, world)
            let made = try await world.send(
                "POST", "/api/v1/admin/credentials", as: boss,
                #"{"provider":"groq","api_key":"sk-everybody","base_url":"\#(provider.url)"}"#)
            #expect(made.status == 201, "\(made.text)")
            #expect(try await Self.ask("groq/x", by: key, world).key == "sk-everybody")
            let own = try await world.send(
                "POST", "/api/v1/credentials", as: other,
                #"{"provider":"groq","api_key":"sk-own","base_url":"\#(provider.url)"}"#)
            #expect(own.status == 201)
            #expect(try await Self.ask("groq/x", by: key, world).key == "sk-own")
            let id = try #require(made.json?["id"]?.string)
            #expect(try await world.send("DELETE", "/api/v1/admin/credentials/\(id)", as: boss).status == 204)
            let bossKey = try await Self.key(of: boss, world)
            #expect(try await Self.ask("groq/x", by: bossKey, world).status == 404)
            #expect(try await Self.ask("groq/x", by: key, world).key == "sk-own")
        }
    }
}
