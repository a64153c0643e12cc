import Base
import Catalog
import Identity
import Providers

extension ModelRouter {
    /// One caller's search for those who serve a model.
    struct Search {
        let reach: Reach
        let models: CatalogSnapshot
        let caller: Caller
        let date: Timestamp
    }
}

extension ModelRouter.Search {
    /// Everyone who serves the model of this name, and whom the caller may ask for it; never none.
    func offers(of name: String, field: String) throws(Problem) -> [Candidate] {
        let mayUseName = caller.mayUse(model: name)
        let plan = caller.terms?.planRights?.models
        if let model = SandboxModel(id: name) {
            guard mayUseName else { throw Self.notAllowed(name, field) }
            guard plan?.contains(name) ?? true else { throw notInPlan(name, field) }
            return [Candidate(id: name, place: .sandbox(model), target: ChatTarget(model: model.rawValue))]
        }
        let known = models.models(named: name)
        var offers: [Candidate] = []
        var isForbidden = false
        var isBeyondPlan = false
        for model in known where !model.isShutDown(at: date) {
            let upstreams = reach.upstreams(named: model.provider)
            guard !upstreams.isEmpty else { continue }
            // Whoever may use a model may use it by any of its names.
            guard mayUseName || caller.allowedModels?.contains(model) ?? true else {
                isForbidden = true
                continue
            }
            guard plan?.contains(model) ?? true else {
                isBeyondPlan = true
                continue
            }
            let price = model.price(on: caller.terms, at: date)
            offers += upstreams.map { Candidate(model, at: $0, price: price) }
        }
        if known.isEmpty {
            offers = unlisted(name)
            if !offers.isEmpty, !mayUseName { throw Self.notAllowed(name, field) }
            if !offers.isEmpty, plan?.contains(name) == false { throw notInPlan(name, field) }
        }
        guard offers.isEmpty else { return offers }
        if isForbidden { throw Self.notAllowed(name, field) }
        throw isBeyondPlan ? notInPlan(name, field) : notFound(name, known, field)
    }

    private static let longestUnlistedName = 256

    /// A model that the catalogue does not know, at a provider that does.
    private func unlisted(_ name: String) -> [Candidate] {
        guard let slash = name.firstIndex(of: "/") else { return [] }
        let model = String(name[name.index(after: slash)...])
        // It is sent in a field of the answer, and no provider has names that could not be.
        guard (1...Self.longestUnlistedName).contains(model.utf8.count),
            model.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return [] }
        let provider = models.provider(named: String(name[..<slash]))
        return reach.upstreams(named: provider).map { upstream in
            Candidate(
                id: "\(provider)/\(model)", place: .upstream(upstream), target: ChatTarget(model: model))
        }
    }

    // MARK: Why there is nobody

    private static func notAllowed(_ name: String, _ field: String) -> Problem {
        Problem(
            .forbidden, code: "model_not_allowed",
            "This API key may not use the model \"\(name.prefix(100))\". Ask an admin of the organization.",
            field: field)
    }

    private func notInPlan(_ name: String, _ field: String) -> Problem {
        Problem(
            .forbidden, code: "model_not_in_tier",
            "The plan \"\(caller.terms?.plan ?? "")\" does not have the model \"\(name.prefix(100))\". Name one that it has, or "
                + "change to a plan that has it: GET /api/v1/billing/tiers lists them.", field: field)
    }

    private func notFound(_ name: String, _ known: [CatalogModel], _ field: String) -> Problem {
        let name = String(name.prefix(100))
        let message: String
        if let gone = known.first(where: { $0.isShutDown(at: date) }) {
            let instead = gone.replacement.map { " Use \"\($0)\" instead." } ?? ""
            message = "The model \"\(name)\" is not served any more.\(instead)"
        } else if !known.isEmpty {
            let providers = Set(known.map(\.provider)).sorted().joined(separator: ", ")
            message =
                "The model \"\(name)\" is offered by \(providers), which is not set up here. "
                + "Ask whoever operates this gateway."
        } else {
            var problem = Problem.noModel(name, suggestions: models.nearest(to: name))
            problem.field = field
            return problem
        }
        return Problem(.notFound, code: "model_not_found", message, field: field)
    }
}
