import Testing

@testable import Providers

struct ModelServerTests {
    // MARK: Recognition

    private typealias Question = ModelServerRecognition.Question
    private typealias Answer = (status: Int, body: String)

    /// Who answers so, and what it was asked.
    private func recognized(_ answers: [Question: Answer]) -> (server: ModelServer?, asked: [Question]) {
        var recognition = ModelServerRecognition()
        var asked: [Question] = []
        while let question = recognition.next {
            asked.append(question)
            let answer = answers[question] ?? (404, "Not Found")
            recognition.answered(status: answer.status, Array(answer.body.utf8))
        }
        return (recognition.server, asked)
    }

    private func list(_ models: (id: String, owner: String)...) -> Answer {
        let rows = models.map {
            #"{"id":"\#($0.id)","object":"model","created":1,"owned_by":"\#($0.owner)"}"#
        }
        return (200, #"{"object":"list","data":[\#(rows.joined(separator: ","))]}"#)
    }

    private let noModels: Answer = (200, #"{"object":"list","data":null}"#)
    private let ollamaPage: Answer = (200, "Ollama is running")

    @Test func `each server is told by what it says of its models`() {
        let properties: Answer = (200, #"{"total_slots":1}"#)
        for (id, owner, expected) in [
            ("llama3.2:3b", "library", ModelServer.ollama), ("Qwen/Qwen3-8B", "vllm", .vllm),
            ("gemma-3.gguf", "llamacpp", .llamacpp), ("qwen/qwen3-4b", "organization_owner", .lmstudio),
        ] {
            let (server, asked) = recognized([.models: list((id, owner)), .properties: properties])
            #expect(server == expected)
            #expect(asked == (expected == .llamacpp ? [.models, .properties] : [.models]))
        }
        #expect(recognized([.models: list(("a", "vllm"), ("a-lora", "vllm"))]).server == .vllm)
    }

    @Test func `an Ollama is known also without models, and with models from elsewhere`() {
        for models in [
            noModels, list(), list(("ada/mine:latest", "ada")),
            list(("llama3.2:3b", "library"), ("hf.co/ada/mine-GGUF:Q4_K_M", "ada")),
            // Whoever calls themselves like a program.
            list(("vllm/mine:latest", "vllm")), list(("library/mine:latest", "library")),
            (404, "404 page not found"),
        ] {
            #expect(recognized([.models: models, .frontPage: ollamaPage]).server == .ollama)
        }
        #expect(recognized([.models: noModels, .frontPage: (200, "Ollama is running\n")]).server == .ollama)
    }

    @Test func `a model whose name begins like a program's is not taken for an Ollama's`() {
        #expect(recognized([.models: list(("vllm/tiny", "vllm"))]).server == .vllm)
    }

    @Test func `a server that asks who is there is nobody`() {
        for status in [401, 403] {
            #expect(recognized([.models: (status, "{}"), .frontPage: ollamaPage]) == (nil, [.models]))
            // llama.cpp shows its models also to those whom it answers nothing else.
            let models = list(("gemma-3.gguf", "llamacpp"))
            #expect(recognized([.models: models, .properties: (status, "{}")]).server == nil)
        }
    }

    @Test func `whoever says nothing that is known is nobody`() {
        let page: Answer = (200, "<html>Ollama is running</html>")
        for models: Answer in [
            list(("gpt-5", "openai")), list(("a", "vllm"), ("b", "llamacpp")), noModels, (200, page.body),
            (200, "[]"), (200, #"{"data":{"owned_by":"vllm"}}"#), (200, #"{"data":[{"owned_by":7}]}"#),
            (200, #"{"data":["vllm"]}"#), (200, #"{"data":[{"id":"a"}]}"#), (200, ""), (404, ""),
        ] {
            #expect(
                recognized([.models: models, .frontPage: page]) == (nil, [.models, .frontPage]), "\(models)")
        }
        for status in [204, 301, 400, 500, 503] {
            #expect(
                recognized([.models: (status, list(("a", "vllm")).body), .frontPage: ollamaPage]).server
                    == nil)
        }
        #expect(recognized([.models: noModels, .frontPage: (500, "Ollama is running")]).server == nil)
    }

    // MARK: Addresses

    @Test(arguments: [
        "", "127.0.0.1:11434", "ftp://127.0.0.1", "http://", "http://127.0.0.1:11434/v1", "http://a@b",
        "http://a?b",
        "http://a:99999", "http://a#b", "http://a b",
    ])
    func `what is no address is none`(text: String) {
        #expect(ModelServerAddress(text) == nil)
    }

    @Test func `a place is the same by each of its names`() throws {
        let address = try #require(ModelServerAddress("http://LOCALHOST:8000/"))
        #expect(address.url == "http://localhost:8000")
        for other in ["127.0.0.1", "[::1]", "0.0.0.0", "localhost", "127.1.2.3"] {
            #expect(address == ModelServerAddress("http://\(other):8000"))
            #expect(address.isReached(by: "http://\(other):8000/v1"))
            #expect(!address.isReached(by: "http://\(other):8001/v1"))
        }
        #expect(address != ModelServerAddress("http://10.0.0.1:8000"))
        #expect(!address.isReached(by: "http://10.0.0.1:8000/v1") && !address.isReached(by: "nowhere"))
        #expect(ModelServerAddress("https://a") == ModelServerAddress("https://a:443"))
    }

    @Test func `a server that was found is spoken with as one that is set up, without a key`() throws {
        let address = try #require(ModelServerAddress("http://127.0.0.1:9"))
        for server in ModelServer.allCases {
            let settings = try #require(server.settings(at: address))
            #expect(settings.name == server.rawValue && settings.keys.isEmpty && settings.isDirect)
            #expect(settings.authorization == .none && settings.chat != nil && settings.embeddings != nil)
            let list = settings.baseURL + (settings.modelsPath ?? "")
            #expect(list == address.url + Question.models.path)
        }
    }

    // MARK: Rounds

    private let here = ModelServerAddress("http://127.0.0.1:1")
    private let there = ModelServerAddress("http://127.0.0.1:2")

    @Test func `a server is found once, and gone after three rounds in a row without it`() throws {
        let (here, there) = (try #require(here), try #require(there))
        var watch = ModelServerWatch([here, there])
        let (first, second) = (
            ModelServerWatch.Place(.ollama, at: here), ModelServerWatch.Place(.vllm, at: there)
        )
        #expect(watch.note([:]) == [] && watch.settings.isEmpty)
        #expect(watch.note([here: .ollama]) == [.found(first)])
        #expect(watch.note([here: .ollama, there: .vllm]) == [.found(second)])
        #expect(watch.settings.map(\.name) == ["ollama", "vllm"])
        for _ in 0..<5 {
            #expect(watch.note([here: .ollama]) == [])
            #expect(watch.note([here: .ollama]) == [])
            #expect(watch.note([here: .ollama, there: .vllm]) == [])
        }
        #expect(watch.note([there: .vllm]) == [])
        #expect(watch.note([there: .vllm]) == [] && watch.settings.count == 2)
        #expect(watch.note([there: .vllm]) == [.gone(first)])
        #expect(watch.settings.map(\.name) == ["vllm"])
        #expect(watch.note([there: .vllm]) == [])
        #expect(watch.note([here: .ollama, there: .vllm]) == [.found(first)])
    }

    @Test func `another server at the same address takes the place at once`() throws {
        let here = try #require(here)
        var watch = ModelServerWatch([here])
        _ = watch.note([here: .ollama])
        #expect(
            watch.note([here: .llamacpp])
                == [.gone(.init(.ollama, at: here)), .found(.init(.llamacpp, at: here))])
        #expect(watch.settings.map(\.name) == ["llamacpp"])
    }
}
