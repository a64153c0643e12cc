package import Base

/// A model at a provider: what is known of it, and what it costs when. What is nil or empty is not known.
package struct CatalogModel: Equatable, Sendable {
    /// As requests name it: `groq/openai/gpt-oss-120b`.
    package let id: String
    package let provider: String
    /// What the provider calls it.
    package let upstreamName: String
    /// Its name wherever it is served: `gpt-oss-120b`.
    package var slug: String
    package var family: String
    /// For people.
    package var title: String
    package var mode: Mode
    /// Other names, without a provider.
    package var aliases: [String] = []
    /// The most that it takes in.
    package var contextTokens: Int?
    package var maxOutputTokens: Int?
    package var inputModalities: [Modality] = [.text]
    package var outputModalities: [Modality] = [.text]
    package var capabilities: [Capability] = []
    /// Where it is served.
    package var regions: [String] = []
    /// Whether the provider may keep what is said to it.
    package var mayBeRetained: Bool?
    /// What an estimate of tokens is multiplied by, in thousandths.
    package var tokenizerFactor: Int?
    /// Days are their first moment, in UTC.
    package var releasedOn: Timestamp?
    package var deprecatedOn: Timestamp?
    /// From then on nobody answers.
    package var shutdownOn: Timestamp?
    /// The id of the model that takes its place.
    package var replacement: String?
    /// Where the facts are from.
    package var source = ""
    /// When they were last compared with it.
    package var verifiedOn: Timestamp
    /// The oldest first; at any moment at most one holds.
    package var prices: [ModelPrice] = []

    package enum Mode: String, CaseIterable, Sendable {
        case chat, responses, embedding, image, rerank, transcription, speech, realtime
    }

    package enum Modality: String, CaseIterable, Sendable {
        case text, image, audio, video, pdf, vector, scores
    }

    package enum Capability: String, CaseIterable, Sendable {
        case tools
        case parallelTools = "parallel_tools"
        case jsonSchema = "json_schema"
        case vision, audio, pdf, reasoning, logprobs, seed, streaming
        case promptCache = "prompt_cache"
        case webSearch = "web_search"
        case openWeights = "open_weights"
    }

    package init(
        _ provider: String, _ upstreamName: String, mode: Mode = .chat,
        verifiedOn: Timestamp = Timestamp(microseconds: 0), _ change: (inout CatalogModel) -> Void = { _ in }
    ) {
        id = "\(provider)/\(upstreamName)"
        self.provider = provider
        self.upstreamName = upstreamName
        slug = upstreamName
        family = upstreamName
        title = upstreamName
        self.mode = mode
        self.verifiedOn = verifiedOn
        change(&self)
    }

    /// All that requests may call it: its id, and slug and aliases with and without its provider.
    package var names: [String] {
        let bare = [slug] + aliases
        return [id] + bare + bare.map { "\(provider)/\($0)" }
    }

    /// What it costs at that moment; nil where that is not known.
    package func price(at now: Timestamp) -> ModelPrice? { prices.last { $0.holds(at: now) } }

    /// Whether its provider says that it should not be used any more.
    package func isDeprecated(at now: Timestamp) -> Bool {
        deprecatedOn.map { $0 <= now } ?? false || isShutDown(at: now)
    }

    package func isShutDown(at now: Timestamp) -> Bool { shutdownOn.map { $0 <= now } ?? false }
}
