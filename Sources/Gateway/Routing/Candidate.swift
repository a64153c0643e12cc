import Providers

/// A model at a provider that may answer a call.
struct Candidate: Sendable {
    /// As clients name it: `openai/gpt-5`.
    var id: String
    var place: Place
    var target: ChatTarget
    /// What the catalogue knows of it; nil where it is not in there.
    var facts: Facts?

    struct Facts: Equatable, Sendable {
        /// Nano-dollars for a token; nil where the price is not known.
        var inputPrice: Int?
        var outputPrice: Int?
        /// Where it is served; empty where that is not known.
        var regions: [String] = []
        /// Whether the provider may keep what is said to it.
        var mayBeRetained = true
    }

    enum Place: Sendable {
        case upstream(Upstream)
        /// In this process.
        case sandbox(SandboxModel)
    }

    /// As the response says it.
    var provider: String {
        switch place {
        case .upstream(let upstream): upstream.name
        case .sandbox: "sandbox"
        }
    }
}
