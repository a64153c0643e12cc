package import Chat
import HTTPWire

/// What there is to know about a provider besides its models: where it is, which formats it speaks, how it is told
/// who asks. A row of data; whatever speaks a known format can be reached without one.
package struct ProviderPreset: Equatable, Sendable {
    /// The prefix of its models' names: `openai` in `openai/gpt-5.6`.
    package var name: String
    /// For people.
    package var title: String
    /// Other names under which it goes.
    package var aliases: [String] = []
    /// nil where it has no chat models, or none that we speak with.
    package var chat: ChatDialect?
    /// How it departs from OpenAI's Responses API, where it speaks that beside `chat`; nil where it does not.
    package var responses: OpenAIResponsesQuirks?
    package var embeddings: EmbeddingDialect?
    package var images: ImageDialect?
    /// What the paths of its formats follow, without a slash at its end. `{name}` stands for what `placeholders` has.
    /// nil where it answers in this process.
    package var baseURL: String?
    package var placeholders: [Placeholder] = []
    package var authorization = Authorization.bearer
    /// Whether it may be asked without a key, as servers in the house often are.
    package var isKeyOptional = false
    /// Where an environment has the key: the first that is set. For `signatureV4` they are the key's id, the secret and,
    /// where there is one, the session's token.
    package var keyEnvironment: [String] = []
    /// Where an environment has another base URL: the first that is set.
    package var baseURLEnvironment: [String] = []
    /// Where an environment has only the host of its customer; nil where there is no such thing.
    package var endpoint: Endpoint?
    /// Whether each deployment of a model has an address of its own; nil: what is asked is at the base URL.
    package var deployments: DeploymentAddress?
    /// How it departs from OpenAI's chat dialect, where it speaks that.
    package var quirks = OpenAIQuirks()
    /// How it departs from OpenAI's embedding dialect, where it speaks that.
    package var embeddingQuirks = OpenAIEmbeddingQuirks()

    /// How a request says who asks. A key in a URL would be in every log on the way, so there is none for that.
    package enum Authorization: Equatable, Sendable {
        /// `Authorization: Bearer <key>`
        case bearer
        /// `Authorization: Token <key>`
        case token
        /// `<name>: <key>`
        case header(String)
        /// Amazon's signature, for this service.
        case signatureV4(service: String)
        case none
    }

    /// A part of the base URL that each customer has another of.
    package struct Placeholder: Equatable, Sendable {
        package var name: String
        /// Where an environment has it: the first that is set.
        package var environment: [String]

        package init(_ name: String, environment: [String]) {
            self.name = name
            self.environment = environment
        }
    }

    /// An address without a path. What is asked is at `/openai/v1` behind it, or, where a version of the API is said, at
    /// the addresses of deployments behind `/openai`.
    package struct Endpoint: Equatable, Sendable {
        /// Where an environment has it: the first that is set.
        package var environment: [String]
        package var versionEnvironment: [String]
    }

    /// The same provider behind `endpoint`, and where that is.
    package func behind(
        endpoint: String, deployments: DeploymentAddress?
    ) -> (preset: ProviderPreset, baseURL: String) {
        var preset = self
        preset.deployments = deployments
        // Early versions do not have it.
        if deployments != nil { preset.responses = nil }
        let host = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
        return (preset, "\(host)/openai\(deployments == nil ? "/v1" : "")")
    }

    package init(
        _ name: String, _ title: String, chat: ChatDialect?, baseURL: String?,
        _ change: (inout ProviderPreset) -> Void = { _ in }
    ) {
        self.name = name
        self.title = title
        self.chat = chat
        self.baseURL = baseURL
        change(&self)
    }

    /// The base URL with each placeholder's value in its place. nil where one is missing, or could change more than
    /// its part of a host's name.
    package func baseURL(filling values: [String: String]) -> String? {
        guard var url = baseURL else { return nil }
        for placeholder in placeholders {
            guard let value = values[placeholder.name], Self.isHostLabel(value) else { return nil }
            url = url.split(separator: "{\(placeholder.name)}", omittingEmptySubsequences: false)
                .joined(separator: value)
        }
        return url
    }

    /// What the base URL has behind the host.
    var basePath: String? { baseURL.flatMap { try? URLAddress($0) }?.path }

    private static func isHostLabel(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count) && text.first != "-" && text.last != "-"
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x2D
            }
    }
}

extension ProviderPreset {
    /// What a base URL has in the places of placeholders; of those that are between dots.
    func values(in url: String) -> [String: String] {
        guard let template = baseURL else { return [:] }
        let labels = template.split(separator: ".")
        let found = url.split(separator: ".")
        guard labels.count == found.count else { return [:] }
        var values: [String: String] = [:]
        for (label, value) in zip(labels, found) {
            if label.first == "{", label.last == "}", Self.isHostLabel(String(value)) {
                values[String(label.dropFirst().dropLast())] = String(value)
            } else if label != value {
                return [:]
            }
        }
        return values
    }
}
