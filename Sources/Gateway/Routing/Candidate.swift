import Base
import Catalog
import Providers

/// A model at a provider that may answer a call.
///
/// A class, because all that is done for a call hands it on, and waits with it.
final class Candidate: Sendable {
    /// As clients name it: `openai/gpt-5`.
    let id: String
    let place: Place
    let target: ChatTarget
    /// What the catalogue knows of it; nil where it is not in there.
    let facts: Facts?

    init(id: String, place: Place, target: ChatTarget, facts: Facts? = nil) {
        self.id = id
        self.place = place
        self.target = target
        self.facts = facts
    }

    enum Place: Sendable {
        case upstream(Upstream)
        /// In this process.
        case sandbox(SandboxModel)
    }

    struct Facts: Equatable, Sendable {
        /// What it costs as the call begins, and so until its end; nil where that is not known.
        var price: PriceInForce?
        /// Where it is served; empty where that is not known.
        var regions: [String] = []
        /// Whether the provider may keep what is said to it.
        var mayBeRetained = true
        /// nil where they are not known.
        var capabilities: [CatalogModel.Capability]?
        /// The most that it takes in.
        var contextTokens: Int?
        /// What an estimate of tokens is multiplied by, in thousandths.
        var tokenizerFactor = 1000
        /// Whether its provider serves it by the Responses API and nothing else.
        var isByResponsesOnly = false
        var retirement: Retirement?
    }

    /// That its provider will not have it any more, or does not want it to be used.
    struct Retirement: Equatable, Sendable {
        var deprecatedOn: Timestamp?
        var shutdownOn: Timestamp?
        /// The id of the model that takes its place.
        var replacement: String?

        init?(of model: CatalogModel) {
            if model.deprecatedOn == nil, model.shutdownOn == nil { return nil }
            deprecatedOn = model.deprecatedOn
            shutdownOn = model.shutdownOn
            replacement = model.replacement
        }
    }

    /// As the response says it.
    var provider: String {
        switch place {
        case .upstream(let upstream): upstream.name
        case .sandbox: "sandbox"
        }
    }

    /// What it costs: nothing in this process. nil where that is not known.
    var price: PriceInForce? {
        if case .sandbox = place { .free } else { facts?.price }
    }
}

extension Candidate {
    convenience init(_ model: CatalogModel, at upstream: Upstream, price: PriceInForce?) {
        // What a model takes in, it can look at and listen to.
        let senses: [CatalogModel.Capability] =
            (model.inputModalities.contains(.image) ? [.vision] : [])
            + (model.inputModalities.contains(.audio) ? [.audio] : [])
        self.init(
            id: model.id, place: .upstream(upstream),
            target: ChatTarget(model: model.upstreamName, maximumOutput: model.maxOutputTokens),
            facts: Facts(
                price: price, regions: model.regions,
                mayBeRetained: model.mayBeRetained ?? true,
                capabilities: model.capabilities.isEmpty ? nil : model.capabilities + senses,
                contextTokens: model.contextTokens, tokenizerFactor: model.tokenizerFactor ?? 1000,
                isByResponsesOnly: model.mode == .responses, retirement: Retirement(of: model)))
    }
}
