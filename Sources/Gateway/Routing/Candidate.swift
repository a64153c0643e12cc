import Providers

/// A model at a provider that may answer a call.
struct Candidate: Sendable {
    /// As clients name it: `openai/gpt-5`.
    var id: String
    var place: Place
    var target: ChatTarget

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
